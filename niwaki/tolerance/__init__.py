"""Which layers stay f32, so that the others may be narrower and results within a tolerance."""
