import ExtendedCopy
import SCSI

/// Every fuzzer by name. One returns normally whatever the bytes are; a trap is a find.
let fuzzers: [String: @Sendable ([UInt8]) -> Void] = [
  "list-lid1": { list($0, .lid1) },
  "list-lid4": { list($0, .lid4) },
  "list-fields": fields,
  "sense": sense,
  "results": results,
  "cdb": cdb,
  "pdu": pdu,
  "text": text,
  "login-target": loginTarget,
  "login-initiator": loginInitiator,
  "chap": chap,
  "names": names,
  "units": units,
  "canary": canary,
]

/// What is accepted can be written, and reads back equal; what is refused is refused inside its bytes.
private func list(_ bytes: [UInt8], _ action: ServiceAction) {
  do throws(ParameterListError) {
    let list = try ParameterList.decode(bytes, serviceAction: action)
    guard let written = try? list.encode() else { return }
    let again = try ParameterList.decode(written, serviceAction: action)
    precondition(again == list, "a list that was written reads back as another one")
  } catch {
    precondition(error.sense.key == .illegalRequest)
    precondition((0...max(bytes.count, 16)).contains(error.offset), "an error outside the list")
  }
}

@Sendable private func fields(_ bytes: [UInt8]) {
  let action: ServiceAction = bytes.count & 1 == 0 ? .lid1 : .lid4
  let fields = ParameterList.fields(of: bytes, serviceAction: action)
  let isRefused = (try? ParameterList.decode(bytes, serviceAction: action)) == nil
  precondition(fields.contains { $0.error != nil } == isRefused, "an error is not pointed at")
}

@Sendable private func sense(_ bytes: [UInt8]) {
  guard let sense = try? SenseData.decode(bytes) else { return }
  let fixed = sense.fixedBytes()
  let descriptors = sense.descriptorBytes()
  for written in [fixed, descriptors] {
    precondition(written.count <= SenseData.maximumLength && written.count == 8 + Int(written[7]))
    precondition((try? SenseData.decode(written))?.key == sense.key)
  }
  precondition(!sense.description.isEmpty)
}

@Sendable private func results(_ bytes: [UInt8]) {
  if let answer = try? CopyStatus.decode(bytes) {
    precondition((try? CopyStatus.decode(answer.encode())) == answer)
  }
  if let answer = try? HeldData.decode(bytes) {
    precondition((try? HeldData.decode(answer.encode())) == answer)
  }
  if let answer = try? OperatingParameters.decode(bytes) {
    precondition((try? OperatingParameters.decode(answer.encode())) == answer)
  }
  if let answer = try? FailedSegmentDetails.decode(bytes) {
    precondition((try? FailedSegmentDetails.decode(answer.encode())) == answer)
  }
  if let answer = try? CopyStatusLID4.decode(bytes) {
    precondition((try? CopyStatusLID4.decode(answer.encode())) == answer)
  }
  if let answer = try? HeldDataLID4.decode(bytes) {
    precondition((try? HeldDataLID4.decode(answer.encode())) == answer)
  }
}

@Sendable private func cdb(_ bytes: [UInt8]) {
  if let command = ExtendedCopyCommand(bytes) {
    precondition(ExtendedCopyCommand(command.bytes) == command)
  }
  if let command = ReceiveCopyResultsCommand(bytes) {
    precondition(ReceiveCopyResultsCommand(command.bytes) == command)
  }
}

/// Must be found, or the fuzzing itself is broken: an index of the input is used unchecked.
@Sendable private func canary(_ bytes: [UInt8]) {
  guard bytes.count >= 4, bytes[0] == 0x83, bytes[1] == 0xE4 else { return }
  precondition(Int(bytes[2]) < bytes.count, "the canary was found")
}
