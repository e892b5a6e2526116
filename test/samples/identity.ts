import type { Identity } from "../../provider/mark/mark";

/** Of the resource `orders`; it has no seal before it is complete. */
export const identityOf = (kind: string, seal: string | null = null): Identity => ({
  kind,
  name: "shop/dev/orders",
  seal,
});
