"""Data: reading text into blocks of rows, validation split, class weights, augmentation."""
