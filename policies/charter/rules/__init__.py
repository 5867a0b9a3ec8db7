"""Every rule of the charter; importing this package registers them."""
