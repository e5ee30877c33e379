"""Lists, preparation of the official layouts, and the rendered data set; ``listed`` holds the registered data sets."""
