"""Step 2, one layer's tar to an index of its entries."""
