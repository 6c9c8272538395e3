import CopyEngine

/// What `ecopy copy` says at the end.
struct CopyPrinter {
  let request: CopyRequest
  let report: CopyReport

  private var outcome: String {
    switch report.failure?.kind {
    case .none: "complete"
    case .tapeFull: "tape full"
    case .cancelled: "cancelled"
    case .some: "failed"
    }
  }

  var json: JSON {
    var members: [(String, JSON)] = [
      ("status", .string(outcome)),
      ("message", report.failure.map { .string(explanation(of: $0)) } ?? .null),
      ("bytes", .number(report.counters.bytesWritten)), ("seconds", .real(report.seconds)),
      ("rate", .real(report.rate)),
    ]
    members += report.counters.members
    if let sha256 = report.sha256 { members.append(("sha256", .hex(sha256))) }
    if let crc32c = report.crc32c {
      members.append(("crc32c", .hex(Self.bytes(crc32c))))
    }
    if let isVerified = report.isVerified { members.append(("verified", .bool(isVerified))) }
    members.append(("tape", report.tape.map(Self.json) ?? .null))
    members.append(("resume", report.resumePoint.map(json) ?? .null))
    members.append(("arena", report.arena.json))
    return .object(members)
  }

  private static func bytes(_ checksum: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: checksum >> $0) }
  }

  private static func json(_ tape: TapeExtent) -> JSON {
    .object([
      ("firstObject", .number(tape.firstObject)), ("position", .number(tape.endObject)),
      ("records", .number(tape.records)), ("filemarks", .number(tape.filemarks)),
    ])
  }

  private func json(_ point: ResumePoint) -> JSON {
    .object([
      ("source", .string(request.sources[point.source].description)),
      ("sourceIndex", .count(point.source)),
      ("offset", point.position == nil ? .number(point.offset) : .null),
      ("position", .optional(point.position)),
    ])
  }

  func printText() {
    let counters = report.counters
    let verb = report.failure == nil ? "copied" : "\(outcome):"
    Output.line(
      "\(verb) \(Words.grouped(counters.bytesWritten)) bytes "
        + "(\(Words.size(Double(counters.bytesWritten)))) in \(Words.decimal(report.seconds, 2)) s, "
        + "\(Words.size(report.rate))/s")
    if let tape = report.tape {
      Output.line(
        "on \(request.destination): \(Words.count(tape.records, "record")) and "
          + "\(Words.count(tape.filemarks, "filemark")), objects \(tape.firstObject) to "
          + "\(tape.endObject == tape.firstObject ? "-" : "\(tape.endObject - 1)"); "
          + "the tape stands at \(tape.endObject)")
    }
    if counters.bytesSkipped > 0 {
      Output.line("\(Words.grouped(counters.bytesSkipped)) bytes of holes were not read")
    }
    if counters.bytesPadded > 0 {
      Output.line("\(Words.grouped(counters.bytesPadded)) bytes of padding are among them")
    }
    if let sha256 = report.sha256 { Output.line("sha256 \(Words.hex(sha256))") }
    if let crc32c = report.crc32c { Output.line("crc32c \(Words.hex(Self.bytes(crc32c)))") }
    if report.isVerified == true { Output.line("verified: what was read back is the same") }
    Output.line(
      "\(Words.grouped(counters.payloadBytesCopied)) payload bytes copied in user space; "
        + "\(counters.directTransfers) transfers direct, \(counters.bufferedTransfers) buffered")
  }

  /// The failure, and where to go on.
  func explanation(of failure: EngineError) -> String {
    guard let point = report.resumePoint else { return failure.message }
    return failure.message + " after \(Words.grouped(report.counters.bytesWritten)) bytes; go on "
      + "with: " + command(from: point, isFull: failure.kind == .tapeFull)
  }

  /// The command that copies the rest, with the options of this one.
  private func command(from point: ResumePoint, isFull: Bool) -> String {
    var words = ["ecopy", "copy"]
    if let length = request.recordLength {
      words += ["--block-size", ByteSize(UInt64(length)).defaultValueDescription]
    }
    if request.writesFilemark { words.append("--filemark") }
    if request.pads { words.append("--pad") }
    for digest in CopyRequest.Digest.allCases where request.digests.contains(digest) {
      words += ["--digest", digest.rawValue]
    }
    if request.verifies { words.append("--verify") }
    if let threshold = request.startThreshold {
      words += ["--start-threshold", ByteSize(UInt64(threshold)).defaultValueDescription]
    }
    var sources = Array(request.sources[point.source...])
    var before = ""
    if let position = point.position {
      if sources[0].name.hasPrefix("tape:") {
        sources[0] = sources[0].positioned(at: position)
      } else {
        before = "mt -f \(Words.quoted(sources[0].name)) seek \(position) && "
      }
    } else {
      words += ["--source-offset", "\(point.offset)"]
    }
    words += sources.map { Words.quoted($0.description) }
    words += isFull ? ["NEXT-TAPE"] : [Words.quoted(request.destination.description), "--append"]
    return before + words.joined(separator: " ")
  }
}

extension CopyCounters {
  /// The same names wherever a result is printed.
  var members: [(String, JSON)] {
    [
      ("bytesRead", .number(bytesRead)), ("bytesSkipped", .number(bytesSkipped)),
      ("bytesWritten", .number(bytesWritten)), ("bytesPadded", .number(bytesPadded)),
      ("payloadBytesCopied", .number(payloadBytesCopied)), ("reads", .count(reads)),
      ("writes", .count(writes)), ("directTransfers", .count(directTransfers)),
      ("bufferedTransfers", .count(bufferedTransfers)), ("fixedTransfers", .count(fixedTransfers)),
      ("plainTransfers", .count(plainTransfers)), ("enters", .count(enters)),
      ("repositionings", .count(repositionings)),
    ]
  }
}

extension ArenaFacts {
  var json: JSON {
    .object([
      ("bytes", .count(byteCount)), ("hugePageBytes", .count(hugePageBytes)),
      ("registered", .bool(isRegistered)),
    ])
  }
}
