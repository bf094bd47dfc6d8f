"""What every part may know of the app: names, shapes and constants. Standard library only; nothing here does anything."""
