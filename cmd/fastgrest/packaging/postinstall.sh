#!/bin/sh
# Runs after the files of the package are unpacked. A service that runs gets the new program. A new
# installation is not started, because its configuration names no database yet.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# A service that does not start must not leave the package half-installed.
	systemctl try-restart fastgrest.service ||
		echo "fastgrest does not start with its configuration. journalctl -u fastgrest says why." >&2
	if ! systemctl is-enabled --quiet fastgrest.service; then
		echo "Edit /etc/fastgrest/fastgrest.conf, and then run: systemctl enable --now fastgrest"
	fi
fi
