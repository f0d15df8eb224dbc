"""Programs that write the pages of docs/reference/ from the declarations in the code."""
