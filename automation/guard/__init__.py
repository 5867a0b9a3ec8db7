"""The guard of the pipeline: reads run records, says what failed, heals what may be healed, escalates the rest."""
