#!/bin/sh
# Runs after the files of the package are removed. The user stays, because files may belong to it.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
