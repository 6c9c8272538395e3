import Devices

@testable import CopyModel

/// The model's state before each segment of a list and behind the last one.
struct ModelSteps {
  /// `states[n]`: what `n` segments leave. Held data is whole.
  private(set) var states: [ModelResult]
  let list: ModelList
  /// The segment that fails without any fault.
  private(set) var failing: Int?
  /// `floors[n][device]`: objects of a tape that are durable before segment `n`, whatever happens.
  private(set) var floors: [[Int]]

  /// Nil where the list is refused as a whole.
  init?(_ scenario: Scenario) {
    guard let list = try? ModelList(scenario.list, lid4: scenario.lid4) else { return nil }
    var copy = ModelCopy(list: list, result: ModelResult(devices: scenario.devices))
    states = [copy.result]
    self.list = list
    floors = [scenario.devices.map { $0.tape?.objects.count ?? 0 }]
    for (number, segment) in list.segments.enumerated() {
      let succeeded = copy.step(segment, number: number)
      states.append(copy.result)
      floors.append(floor(behind: number))
      if !succeeded {
        failing = number
        break
      }
    }
  }

  var segments: [ModelSegment] { list.segments }

  /// The state behind segment `number`, perhaps in the midst of it.
  func after(_ number: Int) -> ModelResult { states[min(number + 1, states.count - 1)] }

  /// Bytes that segment `number` would write; nil where it fails without any fault.
  func writtenBytes(by number: Int) -> Int? {
    guard number != failing, number + 1 < states.count else { return nil }
    return states[number + 1].bytesWritten - states[number].bytesWritten
  }

  /// The device that a segment writes, or moves the tape of.
  func destination(of number: Int) -> Int? {
    let segment = segments[number]
    switch segment.code {
    case 0x06, 0x07, 0x0F: return nil
    default: return index(segment, at: 6)
    }
  }

  /// The device that a segment reads.
  func source(of number: Int) -> Int? {
    let segment = segments[number]
    switch segment.code {
    case 0x04, 0x05, 0x10, 0x11, 0x12: return nil
    default: return index(segment, at: 4)
    }
  }

  private func index(_ segment: ModelSegment, at offset: Int) -> Int? {
    let index = field(segment.bytes, at: offset, width: 2)
    return index < states[0].devices.count ? index : nil
  }

  /// Whether a segment writes to its destination, and does not only move it.
  func writes(_ number: Int) -> Bool { ![0x11, 0x12].contains(segments[number].code) }

  /// Objects that are durable while segment `number` runs.
  func floor(within number: Int, of device: Int) -> Int {
    let floor = floors[number][device]
    guard destination(of: number) == device, writes(number),
      let tape = states[number].devices[device].tape
    else { return floor }
    return min(floor, tape.position)
  }

  private func floor(behind number: Int) -> [Int] {
    var floor = floors[number]
    guard let device = destination(of: number), let tape = states[number + 1].devices[device].tape
    else { return floor }
    let segment = segments[number]
    let synchronizes =
      segment.code == 0x11 || segment.code == 0x12
      || (segment.code == 0x10 && segment.bytes[8] & 1 == 0 && failing != number)
    floor[device] = synchronizes ? tape.objects.count : self.floor(within: number, of: device)
    return floor
  }
}

extension ModelDevice {
  /// Where it is one.
  var tape: ModelTape? { if case .tape(let tape) = self { tape } else { nil } }
  /// Where it is one.
  var disk: ModelDisk? { if case .disk(let disk) = self { disk } else { nil } }
}
