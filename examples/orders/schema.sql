CREATE TABLE orders (
    id uuid PRIMARY KEY,
    sku text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    total numeric NOT NULL,
    confirmed boolean NOT NULL DEFAULT false
);
