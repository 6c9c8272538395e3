import ArgumentParser

@main
struct Ecopyd: ParsableCommand {}
