"""The explorer: GraphiQL, built and shipped with the package, with runnable stories as its tabs."""
