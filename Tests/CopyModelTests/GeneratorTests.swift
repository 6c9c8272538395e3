import CopyModel
import Testing

@Test("the scenarios cover all segment kinds, and about 70 of 100 succeed")
func distribution() {
  var generator = ListGenerator(seed: 1)
  var successes = 0
  var completed: Set<UInt8> = []
  var failures: Set<[UInt8]> = []
  let count = 300
  for _ in 0..<count {
    let scenario = generator.next()
    let result = scenario.result()
    if result.status == 0 { successes += 1 } else { failures.insert(result.code) }
    completed.formUnion(segmentCodes(scenario).prefix(result.segmentsProcessed))
  }
  #expect((count * 60 / 100...count * 80 / 100).contains(successes))
  #expect(completed == Set(0x00...0x13))
  #expect(failures.count >= 8)
}

@Test("a seed makes the same scenario again")
func replay() {
  var generator = ListGenerator(seed: 7)
  let scenario = generator.next()
  #expect(ListGenerator.scenario(seed: scenario.seed) == scenario)
}

/// The type codes of the segments of a list that the generator made.
private func segmentCodes(_ scenario: Scenario) -> [UInt8] {
  let list = scenario.list
  let length = scenario.devices.count * 32
  var codes: [UInt8] = []
  // The descriptors follow a header of one of these lengths, and begin with a code from E0h.
  for header in scenario.lid4 ? [48] : [8, 12, 16] {
    guard header + length < list.count, list[header] >= 0xE0 else { continue }
    var offset = header + length
    while offset + 4 <= list.count, list[offset] <= 0x13 {
      codes.append(list[offset])
      offset += 4 + (Int(list[offset + 2]) << 8 | Int(list[offset + 3]))
    }
    break
  }
  return codes
}
