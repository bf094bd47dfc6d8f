"""Pictures of the console as HTML and SVG. Pure: values in, markup out; templates escape whatever they are given."""
