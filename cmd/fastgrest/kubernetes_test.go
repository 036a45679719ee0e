package main

import (
	"strings"
	"testing"
	"time"
)

// The parts of Kubernetes' objects that kubernetes.yaml uses. Reading another
// field is an error.
type (
	objectMeta struct {
		Name                string
		Labels, Annotations map[string]string
	}
	labelSelector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	}
	deployment struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   objectMeta
		Spec       struct {
			Replicas int
			Strategy struct {
				Type          string
				RollingUpdate struct {
					MaxUnavailable int `yaml:"maxUnavailable"`
					MaxSurge       int `yaml:"maxSurge"`
				} `yaml:"rollingUpdate"`
			}
			Selector labelSelector
			Template struct {
				Metadata objectMeta
				Spec     podSpec
			}
		}
	}
	podSpec struct {
		TerminationGracePeriodSeconds int   `yaml:"terminationGracePeriodSeconds"`
		AutomountServiceAccountToken  *bool `yaml:"automountServiceAccountToken"`
		SecurityContext               struct {
			RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
			RunAsUser      int                   `yaml:"runAsUser"`
			RunAsGroup     int                   `yaml:"runAsGroup"`
			SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		Containers []container
		Volumes    []struct {
			Name     string
			EmptyDir struct {
				SizeLimit string `yaml:"sizeLimit"`
			} `yaml:"emptyDir"`
		}
	}
	container struct {
		Name, Image string
		Ports       []struct {
			Name          string
			ContainerPort int `yaml:"containerPort"`
		}
		Env []struct {
			Name, Value string
			ValueFrom   struct {
				SecretKeyRef struct{ Name, Key string } `yaml:"secretKeyRef"`
			} `yaml:"valueFrom"`
		}
		StartupProbe   probe `yaml:"startupProbe"`
		LivenessProbe  probe `yaml:"livenessProbe"`
		ReadinessProbe probe `yaml:"readinessProbe"`
		Lifecycle      struct {
			PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
		}
		Resources       struct{ Requests, Limits map[string]string }
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct{ Drop []string }
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	}
	probe struct {
		HTTPGet          struct{ Path, Port string } `yaml:"httpGet"`
		PeriodSeconds    int                         `yaml:"periodSeconds"`
		TimeoutSeconds   int                         `yaml:"timeoutSeconds"`
		FailureThreshold int                         `yaml:"failureThreshold"`
	}
	service struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   objectMeta
		Spec       struct {
			Selector map[string]string
			Ports    []struct {
				Name       string
				Port       int
				TargetPort string `yaml:"targetPort"`
			}
		}
	}
	disruptionBudget struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   objectMeta
		Spec       struct {
			MaxUnavailable int `yaml:"maxUnavailable"`
			Selector       labelSelector
		}
	}
)

func TestKubernetes(t *testing.T) {
	var d deployment
	var s service
	var b disruptionBudget
	decodeYAML(t, readPackaging(t, "kubernetes.yaml"), &d, &s, &b)
	for kind, got := range map[string]string{"apps/v1 Deployment": d.APIVersion + " " + d.Kind, "v1 Service": s.APIVersion + " " + s.Kind,
		"policy/v1 PodDisruptionBudget": b.APIVersion + " " + b.Kind} {
		if got != kind {
			t.Errorf("%s, want %s", got, kind)
		}
	}
	const label = "app.kubernetes.io/name"
	pod := d.Spec.Template
	for what, labels := range map[string]map[string]string{"deployment": d.Spec.Selector.MatchLabels, "service": s.Spec.Selector, "budget": b.Spec.Selector.MatchLabels} {
		if len(labels) != 1 || labels[label] == "" || labels[label] != pod.Metadata.Labels[label] {
			t.Errorf("the selector of the %s is %v, and the pods have %v", what, labels, pod.Metadata.Labels)
		}
	}
	if len(pod.Spec.Containers) != 1 {
		t.Fatalf("%d containers", len(pod.Spec.Containers))
	}
	c := pod.Spec.Containers[0]
	settings, env := map[string]string{}, map[string]string{}
	for _, e := range c.Env {
		env[e.Name] = e.Value
		if settings[e.Name] = e.Value; e.Value == "" {
			if e.ValueFrom.SecretKeyRef.Name == "" || e.ValueFrom.SecretKeyRef.Key != settingOf(e.Name) {
				t.Errorf("%s is %+v", e.Name, e.ValueFrom)
			}
			settings[e.Name] = "a value of at least thirty-two characters"
		}
	}
	conf := checkEnvironment(t, settings)
	checkStop(t, time.Duration(pod.Spec.TerminationGracePeriodSeconds-c.Lifecycle.PreStop.Sleep.Seconds)*time.Second, conf)
	if c.Lifecycle.PreStop.Sleep.Seconds < 1 {
		t.Error("the server ends before proxies know that the pod does")
	}

	ports := map[string]int{}
	for _, p := range c.Ports {
		ports[p.Name] = p.ContainerPort
	}
	if ports["http"] != conf.ServerPort || ports["admin"] != conf.AdminServerPort {
		t.Errorf("ports %v, and the server has %d and %d", ports, conf.ServerPort, conf.AdminServerPort)
	}
	if len(s.Spec.Ports) != 1 || s.Spec.Ports[0].TargetPort != "http" {
		t.Errorf("the service has the ports %v", s.Spec.Ports)
	}
	for path, probes := range map[string][]probe{"/live": {c.StartupProbe, c.LivenessProbe}, "/ready": {c.ReadinessProbe}} {
		for _, p := range probes {
			if p.HTTPGet.Path != path || p.HTTPGet.Port != "admin" || p.PeriodSeconds < 1 || p.FailureThreshold < 1 {
				t.Errorf("a probe of %s is %+v", path, p)
			}
		}
	}
	if limit := c.ReadinessProbe.TimeoutSeconds; limit <= 5 {
		t.Errorf("the readiness probe waits %d seconds, and /ready may take 5", limit)
	}
	if v := mebibytes(t, pod.Spec.Volumes[0].EmptyDir.SizeLimit); v <= conf.SpoolMaxSize || c.VolumeMounts[0].Name != pod.Spec.Volumes[0].Name {
		t.Errorf("the volume has %d MiB, and the spool may take %d", v, conf.SpoolMaxSize)
	}
	memory, soft := mebibytes(t, c.Resources.Limits["memory"]), mebibytes(t, env["GOMEMLIMIT"])
	if memory <= soft || soft <= conf.BodiesMaxSize {
		t.Errorf("memory: %d MiB, of which %d for Go, of which %d for bodies", memory, soft, conf.BodiesMaxSize)
	}

	own, no := pod.Spec.SecurityContext, func(b *bool) bool { return b != nil && !*b }
	if !own.RunAsNonRoot || !no(pod.Spec.AutomountServiceAccountToken) || !no(c.SecurityContext.AllowPrivilegeEscalation) ||
		!c.SecurityContext.ReadOnlyRootFilesystem || strings.Join(c.SecurityContext.Capabilities.Drop, "") != "ALL" {
		t.Errorf("the pod may do more than it needs: %+v %+v", own, c.SecurityContext)
	}
}

// mebibytes reads 128Mi and 400MiB.
func mebibytes(t *testing.T, size string) int {
	t.Helper()
	number, ok := strings.CutSuffix(strings.TrimSuffix(size, "B"), "Mi")
	n := 0
	for _, c := range number {
		if ok = ok && c >= '0' && c <= '9'; ok {
			n = 10*n + int(c-'0')
		}
	}
	if !ok || n == 0 {
		t.Errorf("%q is not a size in MiB", size)
	}
	return n
}
