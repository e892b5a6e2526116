USE shop;

CREATE DEFINER = shop@localhost VIEW order_summary AS
  SELECT orders.id, customers.email, orders.status, orders.total, orders.placed_at, COUNT(order_items.line) AS lines_ordered
  FROM orders JOIN customers ON customers.id = orders.customer_id LEFT JOIN order_items ON order_items.order_id = orders.id
  GROUP BY orders.id;

CREATE DEFINER = shop@localhost VIEW best_sellers AS
  SELECT products.id, products.name, SUM(order_items.quantity) AS sold, SUM(order_items.quantity * order_items.price) AS revenue
  FROM products JOIN order_items ON order_items.product_id = products.id
  GROUP BY products.id ORDER BY revenue DESC LIMIT 100;

DELIMITER //

CREATE DEFINER = shop@localhost FUNCTION order_total(wanted BIGINT UNSIGNED) RETURNS DECIMAL(12, 2) READS SQL DATA
  RETURN (SELECT COALESCE(SUM(quantity * price), 0) FROM order_items WHERE order_id = wanted)//

CREATE DEFINER = shop@localhost PROCEDURE place_order()
BEGIN
  DECLARE order_id BIGINT UNSIGNED;
  DECLARE lines_wanted INT DEFAULT 1 + FLOOR(RAND() * 4);
  START TRANSACTION;
  INSERT INTO orders (customer_id, note)
    SELECT id, IF(RAND() < 0.1, 'Bitte klingeln – merci! 🔔', NULL) FROM customers
    WHERE id >= FLOOR(1 + RAND() * (SELECT MAX(id) FROM customers)) LIMIT 1;
  SET order_id = LAST_INSERT_ID();
  WHILE lines_wanted > 0 DO
    INSERT INTO order_items (order_id, line, product_id, quantity, price)
      SELECT order_id, lines_wanted, id, 1 + FLOOR(RAND() * 3), price FROM products
      WHERE id >= FLOOR(1 + RAND() * (SELECT MAX(id) FROM products)) LIMIT 1;
    SET lines_wanted = lines_wanted - 1;
  END WHILE;
  UPDATE orders SET total = order_total(order_id) WHERE id = order_id;
  COMMIT;
END//

CREATE DEFINER = shop@localhost PROCEDURE pay_oldest_order()
BEGIN
  DECLARE wanted BIGINT UNSIGNED;
  DECLARE due DECIMAL(12, 2);
  START TRANSACTION;
  SELECT id, total INTO wanted, due FROM orders WHERE status = 'new' ORDER BY placed_at LIMIT 1 FOR UPDATE;
  -- VALUES and not SELECT ... FROM orders: the trigger updates orders, and a statement may not read what its trigger writes (1442).
  IF wanted IS NOT NULL THEN
    INSERT INTO payments (id, order_id, method, amount)
      VALUES (UUID_TO_BIN(UUID(), TRUE), wanted, ELT(1 + FLOOR(RAND() * 3), 'card', 'transfer', 'voucher'), due);
  END IF;
  COMMIT;
END//

-- One visitor of the shop: the load script calls this a few times a second.
CREATE DEFINER = shop@localhost PROCEDURE visit()
BEGIN
  DECLARE visitor INT UNSIGNED DEFAULT 1 + FLOOR(RAND() * (SELECT MAX(id) FROM customers));
  INSERT INTO analytics.page_views VALUES (NOW(3), visitor, CONCAT('/products/', FLOOR(RAND() * 1000)), RAND() * 400);
  IF RAND() < 0.5 THEN CALL place_order(); END IF;
  IF RAND() < 0.45 THEN CALL pay_oldest_order(); END IF;
  IF RAND() < 0.1 THEN
    UPDATE inventory SET quantity = quantity + 500, counted_on = CURRENT_DATE WHERE quantity < 100 LIMIT 10;
  END IF;
  IF RAND() < 0.05 THEN
    UPDATE customers SET credit = credit + 5, preferences = JSON_SET(preferences, '$.newsletter', RAND() < 0.5) WHERE id = visitor;
  END IF;
  IF RAND() < 0.02 THEN
    DELETE FROM analytics.page_views ORDER BY seen_at LIMIT 5;
  END IF;
END//

-- Triggers come after the seed: its rows are already as they would leave them.
CREATE DEFINER = shop@localhost TRIGGER payment_marks_order_paid AFTER INSERT ON payments FOR EACH ROW
  UPDATE orders SET status = 'paid' WHERE id = NEW.order_id AND status = 'new'//

CREATE DEFINER = shop@localhost TRIGGER item_takes_stock AFTER INSERT ON order_items FOR EACH ROW
  UPDATE inventory SET quantity = quantity - NEW.quantity WHERE product_id = NEW.product_id AND warehouse = 'AMS'//

CREATE DEFINER = shop@localhost EVENT cancel_stale_orders ON SCHEDULE EVERY 1 MINUTE DO
  UPDATE orders SET status = 'cancelled' WHERE status = 'new' AND placed_at < NOW() - INTERVAL 2 DAY LIMIT 100//

DELIMITER ;
