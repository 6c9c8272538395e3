import CopyModel
import Testing

@Test("print") func printStats() {
  var generator = ListGenerator(seed: 42)
  var histogram: [String: Int] = [:]
  var codes: [UInt8: Int] = [:]
  var segs = 0
  var moved = 0
  var slow: [(Duration, UInt64)] = []
  for _ in 0..<2000 {
    let scenario = generator.next()
    let clock = ContinuousClock()
    var r: ModelResult?
    let t = clock.measure { r = scenario.result() }
    slow.append((t, scenario.seed))
    guard let r else { continue }
    func h(_ s: ModelSense?) -> String {
      guard let s else { return "" }
      return " [\(s.senseKey) \(s.asc)/\(s.ascq)\(s.incorrectLength ? " ILI" : "")]"
    }
    let key = r.status == 0 ? "good" : "\(r.senseKey) \(String(r.asc, radix: 16))/\(String(r.ascq, radix: 16)) S\(h(r.sourceSense)) D\(h(r.destinationSense)) info \(r.information != nil)"
    histogram[key, default: 0] += 1
    for c in segmentCodes(scenario).prefix(r.status == 0 ? 99 : max(0, r.segmentsProcessed - 1)) { codes[c, default: 0] += 1; segs += 1 }
    moved += r.bytesWritten
  }
  for (k, v) in histogram.sorted(by: { $0.value > $1.value }) { print("STAT", v, k) }
  for (k, v) in codes.sorted(by: { $0.key < $1.key }) { print("STAT code", String(k, radix: 16), v) }
  print("STAT segs", segs, "bytes", moved)
  for (t, s) in slow.sorted(by: { $0.0 > $1.0 }).prefix(3) { print("STAT slow", t, s) }
}
