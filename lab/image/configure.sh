# Runs inside the new root. What differs from host to host (keys, names, machine id) must not be left here.

# The outer machine's name is copied by debootstrap; keys and ids made now would be the same on every host.
rm -f /etc/hostname /etc/ssh/ssh_host_*
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id

# A lab has no way out: timers that want the network only fail, and sshd's keys come from the lab.
systemctl disable --quiet apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer
systemctl mask --quiet sshd-keygen.service systemd-networkd.service systemd-resolved.service getty@.service \
  console-getty.service systemd-pstore.service

# The accounts a database machine has. Fixed numbers, because data directories are copied between images.
groupadd --system --gid 980 mysql
useradd --system --uid 980 --gid 980 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin mysql
useradd --create-home --uid 1000 --shell /bin/bash sluice
useradd --create-home --uid 1001 --shell /bin/bash shop
printf 'sluice ALL=(ALL) NOPASSWD: ALL\n' >/etc/sudoers.d/sluice
chmod 0440 /etc/sudoers.d/sluice

# percona-toolkit brings MariaDB's option files, and with them options MySQL refuses.
rm -rf /etc/mysql/my.cnf /etc/mysql/mariadb.cnf /etc/mysql/mariadb.conf.d /etc/alternatives/my.cnf
printf '!includedir /etc/mysql/conf.d/\n!includedir /etc/mysql/mysql.conf.d/\n' >/etc/mysql/my.cnf
mkdir -p /etc/mysql/conf.d /etc/mysql/mysql.conf.d
install -d -o mysql -g mysql -m 0750 /var/lib/mysql
install -d -o mysql -g mysql -m 0770 /var/lib/mysql-files
printf 'd /run/mysqld 0755 mysql mysql -\n' >/usr/lib/tmpfiles.d/mysqld.conf

cat >/usr/lib/systemd/system/mysql.service <<'UNIT'
[Unit]
Description=MySQL
After=network.target

[Service]
Type=notify
User=mysql
Group=mysql
# RESTART and CLONE make mysqld end with 16 and count on somebody who starts it again.
Environment=MYSQLD_PARENT_PID=1
RestartForceExitStatus=16
Restart=on-failure
ExecStart=/usr/sbin/mysqld
TimeoutStartSec=infinity
TimeoutStopSec=120
LimitNOFILE=10000
PrivateTmp=true

[Install]
WantedBy=multi-user.target
UNIT
