#!/bin/sh
# Runs before the files of the package are removed. dpkg says remove or upgrade; rpm says how many
# versions of the package remain.
set -e

case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now fastgrest.service ||
			echo "fastgrest.service cannot be stopped. The package is removed all the same." >&2
	fi
	;;
esac
