import ArgumentParser
import CopyEngine

struct TapeList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Show what is on a cartridge, from its index.")

  @OptionGroup var tape: CartridgeArgument

  @Flag(help: "Each record and filemark on a line of its own.")
  var objects = false

  @OptionGroup var output: FormatOption

  func run() async throws {
    let contents = try await tapeEngine(readsRecords: false).contents(
      ofTapeAt: tape.directory
    ).result
    switch output.format {
    case .json: Output.line(json(contents))
    case .text: printText(contents)
    }
  }

  private func json(_ contents: TapeContents) -> JSON {
    var members: [(String, JSON)] = [
      ("device", .string("tape:" + tape.directory)),
      ("capacity", .optional(contents.capacity == .max ? nil : contents.capacity)),
      ("earlyWarning", .number(contents.earlyWarning)),
      ("writeProtected", .bool(contents.isWriteProtected)),
      ("objects", .number(contents.objectCount)), ("records", .number(contents.recordCount)),
      ("filemarks", .number(contents.filemarkCount)), ("bytes", .number(contents.byteCount)),
    ]
    members.append(("runs", .array(contents.runs.map { Self.json($0.firstObject, $0.count, $0) })))
    if objects {
      members.append(
        (
          "list",
          .array(
            contents.runs.flatMap { run in
              (run.firstObject..<run.firstObject + run.count).map { Self.json($0, nil, run) }
            })
        ))
    }
    return .object(members)
  }

  private static func json(_ object: UInt64, _ count: UInt64?, _ run: TapeContents.Run) -> JSON {
    var members: [(String, JSON)] = [
      ("object", .number(object)),
      ("kind", .string(run.recordLength == nil ? "filemark" : "record")),
    ]
    if let count { members.append(("count", .number(count))) }
    if let length = run.recordLength { members.append(("length", .count(length))) }
    return .object(members)
  }

  private func printText(_ contents: TapeContents) {
    for run in contents.runs {
      if objects {
        for object in run.firstObject..<run.firstObject + run.count {
          Output.line("\(object)  \(Self.what(1, run.recordLength))")
        }
      } else {
        let last = run.firstObject + run.count - 1
        let numbers = run.count == 1 ? "\(last)" : "\(run.firstObject) to \(last)"
        Output.line("\(numbers)  \(Self.what(run.count, run.recordLength))")
      }
    }
    var end = "\(contents.objectCount)  end of data; "
    end +=
      "\(Words.count(contents.recordCount, "record")) with \(Words.grouped(contents.byteCount))"
    end += " bytes, \(Words.count(contents.filemarkCount, "filemark"))"
    if contents.capacity != .max { end += "; capacity \(Words.grouped(contents.capacity)) bytes" }
    if contents.earlyWarning > 0 {
      end += ", early warning \(Words.grouped(contents.earlyWarning)) bytes before"
    }
    if contents.isWriteProtected { end += "; write-protected" }
    Output.line(end)
  }

  private static func what(_ count: UInt64, _ length: Int?) -> String {
    guard let length else { return Words.count(count, "filemark") }
    return "\(Words.count(count, "record")) of \(Words.grouped(UInt64(length))) bytes"
  }
}
