systemctl stop e2e-listener
