// A daemon that copies disks to tapes for others: it reads one request a line from standard input,
// `SOURCE DESTINATION`, runs two copies at once, prints how they get on, and ends after the last one
// when its input ends.
//
//   printf '/dev/sdb tape:A00001\n' | embed

import CopyEngine

/// Copies one device and says so.
func backUp(_ source: String, to destination: String, with engine: Engine) async {
  var request = CopyRequest(
    from: [DeviceSpecification(source)], to: DeviceSpecification(destination))
  request.digests = [.sha256]
  request.writesFilemark = true
  request.existingData = .append
  let job = engine.submit(request)
  var next = 0.0
  for await progress in job.updates where progress.seconds >= next {
    next = progress.seconds + 10
    print("\(destination): \(progress.phase.rawValue), \(progress.bytes >> 20) MiB")
  }
  do throws(EngineError) {
    let report = try await job.result
    if let failure = report.failure { throw failure }
    let place = report.tape.map { ", objects \($0.firstObject) to \($0.endObject - 1)" } ?? ""
    print("\(destination): \(report.counters.bytesWritten) bytes are durable\(place)")
  } catch {
    switch error.kind {
    case .tapeFull: print("\(destination): needs another tape: \(error)")
    case .busy: print("\(destination): try again later: \(error)")
    default: print("\(destination): failed: \(error)")
    }
  }
}

/// The requests, one a line.
func requests() -> AsyncStream<(String, String)> {
  AsyncStream {
    while let line = readLine() {
      let words = line.split(separator: " ")
      if words.count == 2 { return (String(words[0]), String(words[1])) }
      print("say: SOURCE DESTINATION")
    }
    return nil
  }
}

var configuration = Engine.Configuration()
configuration.processors = 2
configuration.log = { line in if line.isWarning { print("warning: \(line.text)") } }

do {
  let engine = try Engine(configuration)
  await withTaskGroup { group in
    for await (source, destination) in requests() {
      group.addTask { await backUp(source, to: destination, with: engine) }
    }
  }
  engine.close()
} catch {
  print(error)
}
