module github.com/fastgrest/fastgrest/server/simtest

go 1.26.0

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/fastgrest/fastgrest v0.0.0
	github.com/jackc/pgx/v5 v5.12.0
)

require (
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/klauspost/cpuid/v2 v2.2.10 // indirect
	github.com/pascaldekloe/jwt v1.12.0 // indirect
	github.com/spf13/pflag v1.1.0 // indirect
	github.com/theory/jsonpath v0.10.0 // indirect
	github.com/zeebo/xxh3 v1.1.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.42.0 // indirect
)

replace github.com/fastgrest/fastgrest => ../..
