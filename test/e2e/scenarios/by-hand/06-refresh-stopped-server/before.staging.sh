systemctl stop 'sluice-mysql-by-hand-*'
