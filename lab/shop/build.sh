#!/bin/sh
# build.sh IMAGE TARGET ORDERS SHOP ANALYTICS NUMBER: a data directory with the shop in it, made by the image's own mysqld.
# SHOP and ANALYTICS name its databases and NUMBER tells its history apart: two sources must be able to feed one replica.
# Runs in a mount and pid namespace of its own, so an interrupted build leaves no mount and no server behind.
set -eu
image=$1 target=$2 orders=$3 shop=$4 analytics=$5 number=$6
here=$(dirname "$0")
work=$target/.work

mkdir -p "$work/upper" "$work/work" "$work/root" "$target/mysql"
chown 980:980 "$target/mysql"
chmod 0750 "$target/mysql"
mount -t overlay -o "lowerdir=$image,upperdir=$work/upper,workdir=$work/work" sluice-shop "$work/root"
root=$work/root
mount --bind "$target/mysql" "$root/var/lib/mysql"
mount -t tmpfs tmpfs "$root/run"
install -d -o 980 -g 980 "$root/run/mysqld"
mount -t proc proc "$root/proc"

echo "progress: initialising a data directory"
chroot "$root" mysqld --no-defaults --user=mysql --datadir=/var/lib/mysql --initialize-insecure 2>"$work/error.log" ||
  { cat "$work/error.log" >&2; exit 1; }

# The load is not worth a binary log, double writes or flushes: a crash only means that it starts again.
chroot "$root" mysqld --no-defaults --user=mysql --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock \
  --pid-file=/run/mysqld/mysqld.pid --skip-networking --mysqlx=OFF --disable-log-bin --innodb-doublewrite=OFF \
  --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=512M --innodb-redo-log-capacity=256M \
  --server-id=1 --gtid-mode=ON --enforce-gtid-consistency=ON --event-scheduler=OFF --secure-file-priv=NULL \
  --plugin-load-add=auth_socket.so 2>"$work/error.log" &
server=$!

sql() { chroot "$root" mysql --no-defaults --user=root --socket=/run/mysqld/mysqld.sock --default-character-set=utf8mb4 "$@"; }
named() { sed -e "s/\b\(USE\|DATABASE\) shop\b/\1 $shop/" -e "s/\banalytics\b/$analytics/g" "$here/$1"; }
# One look each 0.1 s, for as long as there is a server to look at.
until sql --execute="DO 1" 2>/dev/null; do
  kill -0 "$server" || { cat "$work/error.log" >&2; exit 1; }
  sleep 0.1
done
echo "progress: making tables"
named tables.sql | sql
echo "progress: filling them with $orders orders"
{ echo "SET @orders = $orders;"; named seed.sql; } | sql --silent --skip-column-names
echo "progress: adding views, routines, triggers and an event"
named programs.sql | sql
# As on every production server, the first transactions are no longer in any binary log: a replica has to be seeded.
sql --execute="ALTER USER root@localhost IDENTIFIED WITH auth_socket;
  SET GLOBAL gtid_purged = '0b5e55ed-7ab1-11f0-8d3c-0242ac12000$number:1-$((orders * 3))';
  ANALYZE TABLE $shop.customers, $shop.products, $shop.orders, $shop.order_items, $shop.payments, $shop.reviews, $shop.inventory;
  SET GLOBAL innodb_redo_log_capacity = 8388608" >/dev/null
sql --execute="SHUTDOWN"
wait "$server"
# A copy must become another server with keys of its own.
rm -f "$target"/mysql/auto.cnf "$target"/mysql/*.pem
