"""The wish: what a stack file asks for, as typed and immutable models."""
