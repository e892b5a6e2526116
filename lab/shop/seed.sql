-- Rows for @orders orders and all that belongs to them, made inside the server. Every value is computed from the row's
-- number, so the same size always gives the same rows.
USE shop;
SET SESSION foreign_key_checks = 0, unique_checks = 0, cte_max_recursion_depth = 10000000;
SET @customers = GREATEST(50, @orders DIV 4), @products = GREATEST(100, @orders DIV 50), @reviews = @orders DIV 3;

CREATE TEMPORARY TABLE numbers (n INT UNSIGNED NOT NULL PRIMARY KEY)
  WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < GREATEST(@orders, @customers, @products))
  SELECT n FROM counter;

SELECT 'progress: making customers and products';
INSERT INTO customers (id, email, full_name, country, city, preferences, credit, created_at, updated_at)
  SELECT n, CONCAT('customer', n, '@shop.example'),
    CONCAT(
      ELT(1 + CRC32(CONCAT('first', n)) % 12, 'Anna', 'Bjørn', 'Chloé', 'Dmitrij', 'Eun-ji', 'Fatima', 'Gëzim', 'Hanako', 'Íñigo', 'Jürgen', '伟', 'Zoë'), ' ',
      ELT(1 + CRC32(CONCAT('last', n)) % 10, 'Müller', 'O''Brien', 'Nguyễn', 'Świątek', '王', 'Søndergård', 'da Silva', 'Κωνσταντίνου', 'Kowalski', 'de Vries'), ' ', n),
    ELT(1 + CRC32(CONCAT('country', n)) % 6, 'NL', 'DE', 'FR', 'JP', 'BR', 'US'),
    ELT(1 + CRC32(CONCAT('city', n)) % 6, 'Utrecht', 'Köln', 'Orléans', '大阪', 'São Paulo', 'Portland'),
    JSON_OBJECT('newsletter', n % 3 = 0, 'language', ELT(1 + n % 4, 'nl', 'de', 'fr', 'en'), 'sizes', JSON_ARRAY(n % 12 + 34, n % 5)),
    (CRC32(CONCAT('credit', n)) % 10000) / 100,
    TIMESTAMP('2024-01-01 00:00:00') + INTERVAL (CRC32(CONCAT('joined', n)) % 80000000) SECOND,
    TIMESTAMP('2026-10-01 00:00:00') + INTERVAL (CRC32(CONCAT('seen', n)) % 2500000) SECOND
  FROM numbers WHERE n <= @customers;

INSERT INTO products (id, sku, name, description, price, attributes, status, updated_at)
  SELECT n, CONCAT('SKU-', LPAD(n, 6, '0')),
    CONCAT(ELT(1 + n % 8, 'Canvas', 'Steel', 'Oak', 'Merino', 'Ceramic', 'Leather', 'Linen', 'Copper'), ' ',
      ELT(1 + CRC32(CONCAT('thing', n)) % 8, 'lamp', 'bag', 'chair', 'kettle', 'blanket', 'boots', 'notebook', 'pan'), ' No. ', n),
    REPEAT(CONCAT('Made to last. Ships in ', n % 9 + 1, ' days. Größe nach Wahl. '), 2 + n % 6),
    5 + (CRC32(CONCAT('price', n)) % 50000) / 100,
    JSON_OBJECT('color', ELT(1 + n % 6, 'red', 'green', 'blue', 'black', 'sand', 'naïve white'), 'weight_grams', 100 + n % 5000, 'tags', JSON_ARRAY('new', 'sale')),
    ELT(1 + (n % 20 = 0) + (n % 33 = 0), 'active', 'retired', 'draft'),
    TIMESTAMP('2026-10-01 00:00:00.000001') + INTERVAL (CRC32(CONCAT('changed', n)) % 2500000) SECOND
  FROM numbers WHERE n <= @products;

INSERT INTO inventory
  SELECT n, warehouse, 200 + CRC32(CONCAT(warehouse, n)) % 5000, DATE('2026-11-01') - INTERVAL n % 60 DAY
  FROM numbers JOIN (VALUES ROW('AMS'), ROW('LYS'), ROW('KIX')) AS warehouses (warehouse) WHERE n <= @products;

SELECT 'progress: making orders';
INSERT INTO orders (id, customer_id, status, total, note, placed_at, shipped_at)
  SELECT n, 1 + CRC32(CONCAT('customer', n)) % @customers,
    IF(n > @orders - 40, 'new', ELT(1 + CRC32(CONCAT('status', n)) % 8, 'paid', 'shipped', 'shipped', 'shipped', 'shipped', 'shipped', 'returned', 'cancelled')),
    0, IF(n % 11 = 0, 'Bitte klingeln – merci! 🔔', NULL),
    TIMESTAMP('2025-11-01 00:00:00') + INTERVAL FLOOR(n * 31000000 / @orders) SECOND,
    IF(n % 8 BETWEEN 1 AND 5, TIMESTAMP('2025-11-03 00:00:00') + INTERVAL FLOOR(n * 31000000 / @orders) SECOND, NULL)
  FROM numbers WHERE n <= @orders;

SELECT 'progress: making order items';
INSERT INTO order_items (order_id, line, product_id, quantity, price)
  SELECT n, line, 1 + CRC32(CONCAT('product', n, '-', line)) % @products, 1 + (n + line) % 3, 5 + (CRC32(CONCAT('price', n, line)) % 50000) / 100
  FROM numbers JOIN (VALUES ROW(1), ROW(2), ROW(3), ROW(4)) AS wanted (line) WHERE n <= @orders AND line <= 1 + CRC32(CONCAT('lines', n)) % 4;

UPDATE orders JOIN (SELECT order_id, SUM(quantity * price) AS total FROM order_items GROUP BY order_id) AS sums ON sums.order_id = orders.id
  SET orders.total = sums.total;

SELECT 'progress: making payments, reviews and page views';
INSERT INTO payments (id, order_id, method, amount, received_at)
  SELECT UNHEX(LEFT(SHA2(CONCAT('payment', id), 256), 32)), id, ELT(1 + id % 3, 'card', 'transfer', 'voucher'), total, placed_at + INTERVAL 90 SECOND
  FROM orders WHERE status IN ('paid', 'shipped', 'returned');

INSERT INTO reviews (id, product_id, customer_id, stars, body, photo, written_at)
  SELECT n, 1 + CRC32(CONCAT('reviewed', n)) % @products, 1 + CRC32(CONCAT('reviewer', n)) % @customers, 1 + CRC32(CONCAT('stars', n)) % 5,
    CONCAT(ELT(1 + n % 5, 'Très bien. ', 'いい感じ。', 'Fällt klein aus. ', 'Would buy again 👍 ', 'Отлично! '), REPEAT(CONCAT('It arrived on day ', n % 9, ' and works. '), 3 + n % 9)),
    IF(n % 4 = 0, UNHEX(REPEAT(SHA2(n, 256), 8)), NULL), TIMESTAMP('2026-01-01 00:00:00') + INTERVAL (CRC32(CONCAT('written', n)) % 25000000) SECOND
  FROM numbers WHERE n <= @reviews;

INSERT INTO analytics.page_views
  SELECT TIMESTAMP('2026-10-01 00:00:00') + INTERVAL FLOOR(n * 2500000 / @orders) SECOND, IF(n % 5 = 0, NULL, 1 + CRC32(CONCAT('viewer', n)) % @customers),
    CONCAT('/products/', CRC32(CONCAT('path', n)) % @products), (CRC32(CONCAT('ms', n)) % 400000) / 1000
  FROM numbers WHERE n <= @orders;

DROP TEMPORARY TABLE numbers;
