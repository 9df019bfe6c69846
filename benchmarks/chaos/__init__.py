"""The bad day, with real processes: things are killed, cancelled, filled up and made late; then the run goes on."""
