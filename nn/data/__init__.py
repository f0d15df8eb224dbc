"""Blocks of rows: parsing of text, encoders and decoders, column statistics, validation split, augmentation."""
