-- A web shop as a production server would have it: foreign keys, secondary indexes, views, triggers, routines, an event.
CREATE USER shop@localhost IDENTIFIED WITH auth_socket;
GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, TRIGGER, EVENT, CREATE VIEW, SHOW VIEW ON *.* TO shop@localhost;

CREATE DATABASE shop DEFAULT CHARACTER SET utf8mb4;
CREATE DATABASE analytics DEFAULT CHARACTER SET utf8mb4;
USE shop;

CREATE TABLE customers (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  email VARCHAR(190) NOT NULL,
  full_name VARCHAR(120) NOT NULL,
  country CHAR(2) NOT NULL,
  city VARCHAR(80) NOT NULL,
  preferences JSON,
  credit DECIMAL(10, 2) NOT NULL DEFAULT 0.00,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  UNIQUE KEY email (email),
  KEY country_city (country, city)
);

CREATE TABLE products (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  sku CHAR(10) NOT NULL,
  name VARCHAR(160) NOT NULL,
  description TEXT,
  price DECIMAL(10, 2) NOT NULL,
  attributes JSON NOT NULL,
  color VARCHAR(20) GENERATED ALWAYS AS (attributes ->> '$.color') VIRTUAL,
  status ENUM('draft', 'active', 'retired') NOT NULL DEFAULT 'active',
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  UNIQUE KEY sku (sku),
  KEY status_color (status, color),
  FULLTEXT KEY words (name, description)
);

CREATE TABLE inventory (
  product_id INT UNSIGNED NOT NULL,
  warehouse CHAR(3) NOT NULL,
  quantity INT NOT NULL,
  counted_on DATE NOT NULL,
  PRIMARY KEY (product_id, warehouse),
  KEY warehouse (warehouse),
  CONSTRAINT inventory_product FOREIGN KEY (product_id) REFERENCES products (id)
);

CREATE TABLE orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id INT UNSIGNED NOT NULL,
  status ENUM('new', 'paid', 'shipped', 'returned', 'cancelled') NOT NULL DEFAULT 'new',
  total DECIMAL(12, 2) NOT NULL DEFAULT 0.00,
  note VARCHAR(255),
  placed_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  shipped_at DATETIME(3),
  KEY customer (customer_id, placed_at),
  KEY status_placed (status, placed_at),
  CONSTRAINT order_customer FOREIGN KEY (customer_id) REFERENCES customers (id)
);

CREATE TABLE order_items (
  order_id BIGINT UNSIGNED NOT NULL,
  line SMALLINT UNSIGNED NOT NULL,
  product_id INT UNSIGNED NOT NULL,
  quantity SMALLINT UNSIGNED NOT NULL,
  price DECIMAL(10, 2) NOT NULL,
  PRIMARY KEY (order_id, line),
  KEY product (product_id),
  CONSTRAINT item_order FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
  CONSTRAINT item_product FOREIGN KEY (product_id) REFERENCES products (id)
);

CREATE TABLE payments (
  id BINARY(16) NOT NULL PRIMARY KEY,
  order_id BIGINT UNSIGNED NOT NULL,
  method ENUM('card', 'transfer', 'voucher') NOT NULL,
  amount DECIMAL(12, 2) NOT NULL,
  received_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  KEY payment_order (order_id),
  CONSTRAINT payment_order FOREIGN KEY (order_id) REFERENCES orders (id)
);

CREATE TABLE reviews (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  product_id INT UNSIGNED NOT NULL,
  customer_id INT UNSIGNED NOT NULL,
  stars TINYINT UNSIGNED NOT NULL CHECK (stars BETWEEN 1 AND 5),
  body TEXT NOT NULL,
  photo BLOB,
  written_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  KEY product_stars (product_id, stars),
  CONSTRAINT review_product FOREIGN KEY (product_id) REFERENCES products (id),
  CONSTRAINT review_customer FOREIGN KEY (customer_id) REFERENCES customers (id)
);

-- No primary key: production servers have such tables, and replication and synchronization must cope with them.
CREATE TABLE analytics.page_views (
  seen_at DATETIME(3) NOT NULL,
  customer_id INT UNSIGNED,
  path VARCHAR(120) NOT NULL,
  milliseconds DOUBLE,
  KEY seen_at (seen_at)
);
