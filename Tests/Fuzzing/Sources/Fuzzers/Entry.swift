import Glibc

/// The fuzzer that `ECOPY_FUZZER` names.
private let chosen: @Sendable ([UInt8]) -> Void = {
  let name = unsafe getenv("ECOPY_FUZZER").map { unsafe String(cString: $0) } ?? ""
  guard let fuzzer = fuzzers[name] else {
    fatalError("ECOPY_FUZZER is one of \(fuzzers.keys.sorted().joined(separator: ", "))")
  }
  return fuzzer
}()

/// What libFuzzer calls with each input.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // libFuzzer owns `count` bytes at `start` for the time of the call; they are copied first.
  chosen(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
