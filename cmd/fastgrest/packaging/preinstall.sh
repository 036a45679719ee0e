#!/bin/sh
# Runs before the files of the package are unpacked: the group fastgrest owns the configuration.
set -e

if ! getent group fastgrest >/dev/null; then
	groupadd --system fastgrest
fi
if ! getent passwd fastgrest >/dev/null; then
	useradd --system --gid fastgrest --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin fastgrest
fi
