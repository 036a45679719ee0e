package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/fastgrest/fastgrest/server/clients"
	"github.com/fastgrest/fastgrest/server/config"
)

// composeFile has the parts of compose files that ours use. Reading another key
// is an error.
type composeFile struct {
	Name     string
	Services map[string]composeService
	Configs  map[string]struct{ Content string }
	Volumes  map[string]any
}

type composeService struct {
	Image, Restart  string
	Build           struct{ Context, Dockerfile string }
	Profiles, Ports []string
	Environment     map[string]string
	DependsOn       map[string]struct{ Condition string } `yaml:"depends_on"`
	Configs         []struct{ Source, Target string }
	Volumes         []string
	MemLimit        string   `yaml:"mem_limit"`
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	SecurityOpt     []string `yaml:"security_opt"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
	Healthcheck     struct {
		Test              []string
		Interval, Timeout string
		StartPeriod       string `yaml:"start_period"`
		Retries           int
	}
}

// decodeYAML reads the documents of a file into values that have a field for each key.
func decodeYAML(t *testing.T, text string, into ...any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	for _, v := range into {
		if err := d.Decode(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Decode(new(any)); err != io.EOF {
		t.Errorf("more than %d documents: %v", len(into), err)
	}
}

// settingOf is the setting of a variable PGRST_...
func settingOf(variable string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "PGRST_"), "_", "-"))
}

// checkEnvironment checks that the PGRST_ variables are settings, and that the
// program reads their values without a warning. It returns the configuration.
func checkEnvironment(t *testing.T, environment map[string]string) *config.Config {
	t.Helper()
	known := defaults(printed(t, "--dump-config=all"))
	env := []string{"PGRST_DB_CONFIG=false"}
	for name, value := range environment {
		if !strings.HasPrefix(name, "PGRST_") {
			continue
		}
		env = append(env, name+"="+value)
		if _, ok := known[settingOf(name)]; !ok {
			t.Errorf("%s is not a setting", name)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"--dump-config"}, env, &stdout, &stderr); code != 0 || stderr.Len() > 0 {
		t.Errorf("--dump-config: exit code %d, %s", code, stderr.String())
	}
	c, err := config.Load(config.LoadOptions{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// checkStop checks that a process has the time to end by itself.
func checkStop(t *testing.T, limit time.Duration, c *config.Config) {
	t.Helper()
	if need := c.ServerDrainTimeout + clients.CancelGrace; limit <= need {
		t.Errorf("the process is killed after %v, and may need %v", limit, need)
	}
}

// interpolated replaces ${NAME} and ${NAME:?text} as compose does.
func interpolated(text string, values map[string]string) string {
	text = regexp.MustCompile(`(^|[^$])\$\{(\w+)(:\?[^}]*)?\}`).ReplaceAllStringFunc(text, func(s string) string {
		name := regexp.MustCompile(`\{(\w+)`).FindStringSubmatch(s)[1]
		return s[:strings.IndexByte(s, '$')] + values[name]
	})
	return strings.ReplaceAll(text, "$$", "$")
}

// programWith is a command that runs the program with no other settings than these variables.
func programWith(env map[string]string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = []string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

func parseDuration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Error(err)
	}
	return d
}
