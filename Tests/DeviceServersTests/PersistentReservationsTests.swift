import SAM
import SCSI
import Testing

@testable import DeviceServers

/// Ports of numbered nexuses: two target ports for each initiator.
enum ReservationPorts {
  static func nexus(_ number: Int) -> NexusPorts {
    NexusPorts(
      initiatorPort: InitiatorPort(name: "iqn.2026-11.test:\(number / 2)", isid: 0x80),
      targetPortIdentifier: UInt16(1 + number % 2))
  }
}

@Suite("Persistent reservations")
struct PersistentReservationsTests {
  private typealias Refusal = PersistentReservations.Refusal

  private static var surroundings: PersistentReservations.Surroundings {
    var surroundings = PersistentReservations.Surroundings()
    surroundings.targetPortIdentifiers = [1, 2]
    surroundings.canKeep = true
    return surroundings
  }

  private func refusal(
    _ state: PersistentReservations, _ request: ReservationRequest, by nexus: Int,
    _ surroundings: PersistentReservations.Surroundings = Self.surroundings
  ) -> Refusal? {
    var copy = state
    do throws(Refusal) {
      _ = try copy.apply(request, by: ReservationPorts.nexus(nexus), in: surroundings)
      return nil
    } catch {
      return error
    }
  }

  private func codes(_ refusal: Refusal?) -> [UInt8] {
    guard case .sense(let sense) = refusal else { return [] }
    return [sense.key.rawValue, sense.additional.code, sense.additional.qualifier]
  }

  /// Registers nexuses 0, 1, … with the keys.
  private func registered(_ keys: UInt64...) throws -> PersistentReservations {
    var state = PersistentReservations()
    for (number, key) in keys.enumerated() {
      _ = try state.apply(
        ReservationRequest(.register, serviceActionKey: key),
        by: ReservationPorts.nexus(number), in: Self.surroundings)
    }
    return state
  }

  @Test(
    "random requests end as in a plain model, and tell the same nexuses the same",
    arguments: 0..<24 as Range<UInt64>)
  func model(_ seed: UInt64) {
    var random = BlockRandom(seed: seed)
    var state = PersistentReservations()
    var model = ReservationModel(nexusCount: 6)
    let types: [UInt8] = [1, 3, 5, 6, 7, 8, 0, 2, 15]
    for step in 0..<1500 {
      let nexus = Int(random.below(6))
      // The right key mostly, so that much succeeds.
      let key = random.below(5) == 0 ? random.below(4) : model.keys[nexus]
      let newKey = random.below(4)
      let type =
        random.below(2) == 0 && model.type != 0 ? model.type : types[Int(random.below(9))]
      let action = UInt8(random.below(8))
      let before = state
      let expected: (ReservationModel.Answer, Set<ReservationModel.Notice>)
      if action == 0 || action >= 6 {
        expected = model.register(nexus, key: key, newKey: newKey, ignoring: action == 6)
      } else {
        let plain = action == 5 ? 4 : action
        expected = model.act(plain, nexus, key: key, newKey: newKey, type: type)
      }
      guard let known = ReservationRequest.Action(rawValue: action == 7 ? 0 : action) else {
        preconditionFailure("actions from 0 to 6 exist")
      }
      let request = ReservationRequest(known, type: type, key: key, serviceActionKey: newKey)
      var answer = ReservationModel.Answer.good
      var told: Set<ReservationModel.Notice> = []
      do throws(Refusal) {
        let effects = try state.apply(
          request, by: ReservationPorts.nexus(nexus), in: Self.surroundings)
        for attention in effects.attentions {
          guard let number = (0..<6).first(where: { ReservationPorts.nexus($0) == attention.nexus })
          else { continue }
          told.insert(.init(nexus: number, qualifier: attention.additional.qualifier))
        }
        #expect(told.count == effects.attentions.count)
        #expect(!told.contains { $0.nexus == nexus })
      } catch {
        state = before
        switch error {
        case .conflict: answer = .conflict
        case .sense(let sense):
          answer = .sense(sense.additional.code, sense.additional.qualifier)
        }
      }
      let keys = (0..<6).map { state.registrant(ReservationPorts.nexus($0))?.key ?? 0 }
      let holders = (0..<6).map { state.standing(of: ReservationPorts.nexus($0)) == .holder }
      guard answer == expected.0, told == expected.1, keys == model.keys,
        state.reservation?.type.rawValue ?? 0 == model.type,
        holders == (0..<6).map(model.holds), state.generation == model.generation
      else {
        Issue.record(
          "step \(step): \(request) by \(nexus) gave \(answer), \(told); expected \(expected)")
        return
      }
    }
  }

  @Test("a full table refuses registrations and still changes keys")
  func fullTable() throws {
    var state = PersistentReservations()
    for number in 0..<PersistentReservations.registrantCapacity {
      _ = try state.apply(
        ReservationRequest(.register, serviceActionKey: 7),
        by: ReservationPorts.nexus(number), in: Self.surroundings)
    }
    let one = ReservationRequest(.register, serviceActionKey: 7)
    #expect(codes(refusal(state, one, by: 128)) == [5, 0x55, 0x04])
    let change = ReservationRequest(.register, key: 7, serviceActionKey: 8)
    #expect(refusal(state, change, by: 127) == nil)
  }

  @Test("ALL_TG_PT registers an initiator port through every target port")
  func allTargetPorts() throws {
    var state = PersistentReservations()
    var request = ReservationRequest(.register, serviceActionKey: 7)
    request.isForAllTargetPorts = true
    _ = try state.apply(request, by: ReservationPorts.nexus(0), in: Self.surroundings)
    #expect(state.registrants.map(\.nexus) == [0, 1].map(ReservationPorts.nexus))
    request = ReservationRequest(.register, key: 7)
    request.isForAllTargetPorts = true
    _ = try state.apply(request, by: ReservationPorts.nexus(1), in: Self.surroundings)
    #expect(state.registrants.isEmpty)
  }

  @Test("SPEC_I_PT registers other initiators, by port and by name, or nobody")
  func specifiedPorts() throws {
    var surroundings = Self.surroundings
    surroundings.initiatorPorts = [
      InitiatorPort(name: "iqn.2026-11.test:1", isid: 0x80),
      InitiatorPort(name: "iqn.2026-11.test:1", isid: 0x81),
    ]
    var request = ReservationRequest(.register, serviceActionKey: 7)
    request.specifiesInitiatorPorts = true
    request.transportIDs = [
      TransportID(name: "iqn.2026-11.test:1", isid: nil),
      TransportID(name: "iqn.2026-11.test:2", isid: 0x80),
    ]
    var state = PersistentReservations()
    _ = try state.apply(request, by: ReservationPorts.nexus(0), in: surroundings)
    #expect(
      state.registrants.map { "\($0.nexus.initiatorPort.name) \($0.nexus.initiatorPort.isid)" }
        == [
          "iqn.2026-11.test:0 128", "iqn.2026-11.test:1 128", "iqn.2026-11.test:1 129",
          "iqn.2026-11.test:2 128",
        ])
    // Somebody on the list is registered already.
    let before = state
    #expect(refusal(before, request, by: 6, surroundings) == .conflict)
    // A registered nexus may not specify others.
    request.key = 7
    #expect(codes(refusal(state, request, by: 0, surroundings)) == [5, 0x26, 0x00])
    // Nobody of that name is there.
    request.key = 0
    request.transportIDs = [TransportID(name: "iqn.2026-11.test:9", isid: nil)]
    #expect(codes(refusal(state, request, by: 6, surroundings)) == [5, 0x26, 0x00])
  }

  @Test("REGISTER AND MOVE gives the reservation to another nexus")
  func move() throws {
    var state = try registered(1, 2)
    var request = ReservationRequest(.registerAndMove, key: 1, serviceActionKey: 9)
    request.transportIDs = [TransportID(name: "iqn.2026-11.test:1", isid: 0x80)]
    request.targetPortIdentifier = 2
    request.unregisters = true
    #expect(codes(refusal(state, request, by: 0)) == [5, 0x24, 0x00])
    let reserve = ReservationRequest(.reserve, type: 3, key: 1)
    _ = try state.apply(reserve, by: ReservationPorts.nexus(0), in: Self.surroundings)
    var other = request
    other.key = 2
    #expect(refusal(state, other, by: 1) == .conflict)
    other = request
    other.targetPortIdentifier = 3
    #expect(codes(refusal(state, other, by: 0)) == [5, 0x26, 0x00])
    other = request
    other.transportIDs = [TransportID(name: "iqn.2026-11.test:0", isid: 0x80)]
    other.targetPortIdentifier = 1
    #expect(codes(refusal(state, other, by: 0)) == [5, 0x26, 0x00])
    other = request
    other.serviceActionKey = 0
    #expect(codes(refusal(state, other, by: 0)) == [5, 0x26, 0x00])
    _ = try state.apply(request, by: ReservationPorts.nexus(0), in: Self.surroundings)
    #expect(state.standing(of: ReservationPorts.nexus(0)) == .stranger)
    #expect(state.standing(of: ReservationPorts.nexus(3)) == .holder)
    #expect(state.registrant(ReservationPorts.nexus(3))?.key == 9)
    #expect(state.reservation?.type == .exclusiveAccess)
  }

  @Test("without a store APTPL is refused")
  func noStore() {
    var request = ReservationRequest(.register, serviceActionKey: 7)
    request.isKept = true
    var surroundings = Self.surroundings
    surroundings.canKeep = false
    let state = PersistentReservations()
    #expect(codes(refusal(state, request, by: 0, surroundings)) == [5, 0x26, 0x00])
    #expect(refusal(state, request, by: 0) == nil)
  }

  // MARK: What is kept

  /// Kept registrations of four nexuses with a reservation of each type.
  private func kept(_ type: ReservationType) throws -> PersistentReservations {
    var state = try registered(1, 2, 3)
    var request = ReservationRequest(.register, serviceActionKey: 4)
    request.isKept = true
    _ = try state.apply(request, by: ReservationPorts.nexus(3), in: Self.surroundings)
    _ = try state.apply(
      ReservationRequest(.reserve, type: type.rawValue, key: 3), by: ReservationPorts.nexus(2),
      in: Self.surroundings)
    return state
  }

  @Test("what is stored comes back, with PRGENERATION at zero", arguments: ReservationType.allCases)
  func roundTrip(_ type: ReservationType) throws {
    var state = try kept(type)
    let back = PersistentReservations(stored: state.storedBytes)
    state.generation = 0
    #expect(back == state)
  }

  @Test("without APTPL nothing is stored")
  func notKept() throws {
    let state = try registered(1, 2)
    #expect(PersistentReservations(stored: state.storedBytes) == PersistentReservations())
  }

  @Test("a stored file that was changed or cut anywhere is recognised")
  func damaged() throws {
    let bytes = try kept(.writeExclusiveRegistrantsOnly).storedBytes
    for index in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[index] ^= 1 << UInt8(bit)
        #expect(PersistentReservations(stored: changed) == nil)
      }
      #expect(PersistentReservations(stored: Array(bytes.prefix(index))) == nil)
    }
    #expect(PersistentReservations(stored: bytes + [0]) == nil)
    #expect(PersistentReservations(stored: []) == nil)
  }

  @Test("a stored file with a right checksum and wrong contents never traps")
  func forged() throws {
    var random = BlockRandom(seed: 3)
    let whole = try kept(.exclusiveAccess).storedBytes.dropLast(4)
    for _ in 0..<20_000 {
      var bytes = Array(whole)
      for _ in 0...random.below(4) {
        bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(random.below(256))
      }
      bytes = Array(bytes.prefix(Int(random.below(UInt64(bytes.count) + 1))))
      if random.below(2) == 0 { bytes += random.bytes(Int(random.below(40))) }
      guard let state = PersistentReservations(stored: PlainChecksum.appended(to: bytes)) else {
        continue
      }
      #expect(state.registrants.count <= PersistentReservations.registrantCapacity)
      #expect(PersistentReservations(stored: state.storedBytes) == state)
    }
  }
}

/// CRC32C bit by bit.
enum PlainChecksum {
  static func appended(to bytes: [UInt8]) -> [UInt8] {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 != 0 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }
    return bytes + BlockCDB.big(UInt64(~crc), 4)
  }
}
