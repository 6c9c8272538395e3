/// Persistent reservations as SPC-4 5.13 describes them, in the plainest way: keys by nexus, a type, and
/// a holder. Written apart from the code it is held against.
struct ReservationModel {
  enum Answer: Equatable {
    case good, conflict
    case sense(UInt8, UInt8)
  }

  struct Notice: Hashable {
    var nexus: Int
    var qualifier: UInt8
  }

  /// By number of the nexus; 0 is not registered.
  var keys: [UInt64]
  /// TYPE; 0 where nothing is reserved.
  var type: UInt8 = 0
  /// -1 where all registrants hold it.
  var holder = -1
  var generation: UInt32 = 0

  init(nexusCount: Int) { keys = [UInt64](repeating: 0, count: nexusCount) }

  private static let allRegistrants: Set<UInt8> = [7, 8]
  private static let registrantsToo: Set<UInt8> = [5, 6, 7, 8]
  private static let types: Set<UInt8> = [1, 3, 5, 6, 7, 8]

  func holds(_ nexus: Int) -> Bool {
    type != 0 && keys[nexus] != 0 && (Self.allRegistrants.contains(type) || holder == nexus)
  }

  private func others(_ nexus: Int) -> [Int] {
    keys.indices.filter { $0 != nexus && keys[$0] != 0 }
  }

  private mutating func take(_ newType: UInt8, _ nexus: Int) {
    type = newType
    holder = Self.allRegistrants.contains(newType) ? -1 : nexus
  }

  mutating func register(
    _ nexus: Int, key: UInt64, newKey: UInt64, ignoring: Bool
  ) -> (Answer, Set<Notice>) {
    if !ignoring && key != keys[nexus] { return (.conflict, []) }
    generation += 1
    if newKey != 0 {
      keys[nexus] = newKey
      return (.good, [])
    }
    let didHold = holds(nexus)
    keys[nexus] = 0
    guard didHold else { return (.good, []) }
    let rest = others(nexus)
    if Self.allRegistrants.contains(type), !rest.isEmpty { return (.good, []) }
    let tells = Self.registrantsToo.contains(type)
    type = 0
    return (.good, tells ? Set(rest.map { Notice(nexus: $0, qualifier: 4) }) : [])
  }

  /// RESERVE, RELEASE, CLEAR, PREEMPT: 1 to 4.
  mutating func act(
    _ action: UInt8, _ nexus: Int, key: UInt64, newKey: UInt64, type newType: UInt8
  ) -> (Answer, Set<Notice>) {
    if keys[nexus] == 0 || keys[nexus] != key { return (.conflict, []) }
    switch action {
    case 1:
      if !Self.types.contains(newType) { return (.sense(0x24, 0), []) }
      if type == 0 {
        take(newType, nexus)
        return (.good, [])
      }
      return (holds(nexus) && type == newType ? .good : .conflict, [])
    case 2:
      if type == 0 || !holds(nexus) { return (.good, []) }
      if type != newType { return (.sense(0x26, 4), []) }
      let tells = Self.registrantsToo.contains(type)
      type = 0
      return (.good, tells ? Set(others(nexus).map { Notice(nexus: $0, qualifier: 4) }) : [])
    case 3:
      let told = Set(others(nexus).map { Notice(nexus: $0, qualifier: 3) })
      keys = keys.map { _ in 0 }
      type = 0
      generation += 1
      return (.good, told)
    default:
      return preempt(nexus, newKey, newType)
    }
  }

  private mutating func preempt(
    _ nexus: Int, _ victim: UInt64, _ newType: UInt8
  ) -> (Answer, Set<Notice>) {
    let isShared = Self.allRegistrants.contains(type)
    let meansHolder =
      type != 0 && (isShared ? victim == 0 : keys[holder] == victim)
    if !meansHolder {
      if victim == 0 { return (.sense(0x26, 0), []) }
      let gone = keys.indices.filter { keys[$0] == victim }
      if gone.isEmpty { return (.conflict, []) }
      for one in gone { keys[one] = 0 }
      if !keys.contains(where: { $0 != 0 }) { type = 0 }
      generation += 1
      return (.good, Set(gone.filter { $0 != nexus }.map { Notice(nexus: $0, qualifier: 5) }))
    }
    if !Self.types.contains(newType) { return (.sense(0x24, 0), []) }
    let gone = others(nexus).filter { isShared || keys[$0] == victim }
    for one in gone { keys[one] = 0 }
    var told = Set(gone.map { Notice(nexus: $0, qualifier: 5) })
    if type != newType {
      for one in others(nexus) { told.insert(Notice(nexus: one, qualifier: 4)) }
    }
    take(newType, nexus)
    generation += 1
    return (.good, told)
  }
}
