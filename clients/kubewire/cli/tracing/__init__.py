"""What became of an object, hop by hop: which component did what, and when."""
