"""The kubernetes port: one provider in front of exchangeable cluster backends."""
