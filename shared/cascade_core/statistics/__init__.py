"""Statistics that know no cascade: numpy in, numpy out, each with its source."""
