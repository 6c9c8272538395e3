// The first thread waits for signals; everything else happens on others, which never see one.
Output.occupyClosedStreams()
Signals.block()
let work = Task(operation: Ecopyd.runToExit)
Signals.serve()
