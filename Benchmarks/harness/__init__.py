"""What `make bench` is made of; `Benchmarks/bench` puts it together."""
