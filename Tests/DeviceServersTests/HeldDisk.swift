import Devices
import Uring

/// A disk in front of another one, whose operations begin when a test says so.
final class HeldDisk: BlockDevice {
  enum Kind { case read, write, flush, discard }

  private let disk: BlockDevice
  /// Operations of these kinds wait.
  var holds: Set<Kind> = []
  /// Bytes that were given back, call by call.
  private(set) var discards: [Range<UInt64>] = []
  private(set) var flushCount = 0
  /// Operations that wait or are at the disk behind.
  private(set) var inFlight = 0
  private var transfers: [Transfer] = []
  private var continuations: [CheckedContinuation<Void, Never>] = []

  private struct Transfer {
    var begin: () -> Void
  }

  init(_ disk: BlockDevice) {
    self.disk = disk
    super.init(
      name: disk.name, blockLength: disk.blockLength, blockCount: disk.blockCount,
      isReadOnly: disk.isReadOnly, identity: disk.identity, memoryAlignment: disk.memoryAlignment)
  }

  /// Lets everything go on.
  func open() {
    holds = []
    let (transfers, continuations) = (transfers, continuations)
    (self.transfers, self.continuations) = ([], [])
    for transfer in transfers { transfer.begin() }
    for continuation in continuations { continuation.resume() }
  }

  /// Counts the operation out before its client hears of its end.
  private final class Counting: DeviceClient {
    private let disk: HeldDisk
    private let client: DeviceClient
    init(_ disk: HeldDisk, _ client: DeviceClient) {
      self.disk = disk
      self.client = client
    }
    override func complete(_ completion: consuming DeviceCompletion) {
      disk.inFlight -= 1
      disk.clients.removeAll { $0 === self }
      client.complete(completion)
    }
  }
  private var clients: [DeviceClient] = []

  private func submit(
    _ kind: Kind, _ payload: consuming Payload, _ client: DeviceClient,
    _ begin: @escaping (consuming Payload, DeviceClient) -> Void
  ) {
    inFlight += 1
    let counting = Counting(self, client)
    clients.append(counting)
    guard holds.contains(kind) else { return begin(payload, counting) }
    let parked = Parked(payload)
    transfers.append(
      Transfer { if let payload = parked.payload.take() { begin(payload, counting) } })
  }

  private final class Parked {
    var payload: Payload?
    init(_ payload: consuming Payload) { self.payload = consume payload }
  }

  override func read(
    at offset: UInt64, into payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    submit(.read, payload, client) { [disk] in disk.read(at: offset, into: $0, for: $1, tag: tag) }
  }

  override func write(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    submit(.write, payload, client) { [disk] in disk.write(at: offset, from: $0, for: $1, tag: tag)
    }
  }

  override func writeThrough(
    at offset: UInt64, from payload: consuming Payload, for client: DeviceClient, tag: UInt64
  ) {
    submit(.write, payload, client) { [disk] in
      disk.writeThrough(at: offset, from: $0, for: $1, tag: tag)
    }
  }

  private func wait(_ kind: Kind) async {
    guard holds.contains(kind) else { return }
    await withCheckedContinuation { continuations.append($0) }
  }

  override func flush() async -> DeviceStatus {
    flushCount += 1
    inFlight += 1
    defer { inFlight -= 1 }
    await wait(.flush)
    return await disk.flush()
  }

  override func discard(at offset: UInt64, byteCount: UInt64) async -> DeviceStatus {
    discards.append(offset..<offset + byteCount)
    inFlight += 1
    defer { inFlight -= 1 }
    await wait(.discard)
    return await disk.discard(at: offset, byteCount: byteCount)
  }

  override func writeZeros(at offset: UInt64, byteCount: UInt64) async -> DeviceStatus {
    await disk.writeZeros(at: offset, byteCount: byteCount)
  }

  override func extent(at offset: UInt64) async -> Extent { await disk.extent(at: offset) }
  override func close() async { await disk.close() }
}

extension HeldDisk {
  /// In front of a thin file of `directory`.
  static func thin(
    _ directory: String, _ name: String = "disk", ring: Ring, byteCount: UInt64 = 4 << 20
  ) async throws -> HeldDisk {
    var options = FileDisk.Options.readWrite
    options.creates = true
    options.byteCount = byteCount
    return HeldDisk(
      try await FileDisk.open("\(directory)/\(name)", options: options, ring: ring))
  }

  /// Waits until something is in flight.
  func waitUntilBusy(_ ring: Ring) async {
    while inFlight == 0 { await ring.sleep(nanoseconds: 0) }
  }

  /// Opens once `isTime`, some turns of the ring later: what does not wait has ended by then.
  func open(_ ring: Ring, once isTime: @escaping () -> Bool = { true }) {
    ring.start {
      while !isTime() { await ring.sleep(nanoseconds: 100_000) }
      for _ in 0..<20 { await ring.sleep(nanoseconds: 1_000_000) }
      self.open()
    }
  }
}
