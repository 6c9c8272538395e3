import CUring
import Glibc
import SCSI
public import Uring

/// A tape drive of this machine, through the st driver (`/dev/nst0`), in variable-block mode.
///
/// One system call is one record, and only one is in flight: the driver runs calls on kernel workers
/// that race for the drive. A record in more than one range of memory is gathered first, because
/// the driver would write each range as a record of its own; such bytes are counted.
public final class LocalTape: StreamDevice {
  fileprivate struct Operation: ~Copyable {
    let client: ClientReference
    let tag: UInt64
    let reading: Bool
    let acceptsShorter: Bool
    let recordCount: Int
    let recordLength: Int
    /// Records that are done, with those that are not behind them.
    var done: Payload?
    var rest: Payload?
    /// The payload whose gathered copy is in flight.
    var original: Payload?
    var doneRecordCount = 0
    var status: DeviceStatus?
  }

  private let ring: Ring
  private let file: RingFile
  private let readOnly: Bool
  private var places: InlineArray<256, Operation?> = InlineArray { _ in nil }
  private var first = 0
  private var count = 0
  private var isRunning = false
  private var isPastEarlyWarning = false
  /// Where the drive does not tell its position, what was counted; nil where it does.
  private var objects: ObjectCount?
  private var hasWarned = false
  private lazy var calls = Calls(self)
  /// Payload bytes that had to be copied in memory.
  public private(set) var copiedByteCount = 0

  private init(_ path: String, _ file: Int32, readOnly: Bool, objects: ObjectCount?, ring: Ring) {
    self.ring = ring
    self.objects = objects
    // The drive is for the next program as soon as this one has closed it.
    self.file = RingFile(unregistered: file)
    self.readOnly = readOnly
    super.init(
      name: path, recordLengthMaximum: TapeMap.recordLengthMaximum, depth: 1, memoryAlignment: 512)
  }

  /// Opens the drive and sets variable-block mode. A tape that is write-protected is opened to read.
  ///
  /// - Throws: what kept it from being used, with the way out.
  public static func open(_ path: String, readOnly: Bool = false, ring: Ring)
    async throws(DeviceError) -> LocalTape
  {
    let result: Result<(Int32, Bool, ObjectCount?), DeviceError> = await ring.blocking { files in
      var reads = readOnly
      // A drive without a tape would keep an open without O_NONBLOCK waiting; one that is no drive
      // is found out before anything moves.
      let probe = files.open(path, flags: O_RDONLY | O_NONBLOCK, mode: 0)
      guard probe >= 0 else {
        return .failure(.opening(path, errno: -probe, writing: false))
      }
      var status = cu_tape_status()
      let kind = try? files.status(probe).kind
      let known = unsafe cu_tape_status(probe, &status)
      files.close(probe)
      guard kind == .characterDevice, known == 0 else { return .failure(.notATape(path: path)) }
      guard status.online != 0 else { return .failure(.noMedium(path: path)) }
      if status.write_protected != 0 { reads = true }
      let file = files.open(path, flags: reads ? O_RDONLY : O_RDWR, mode: 0)
      guard file >= 0 else {
        return .failure(.opening(path, errno: -file, writing: !reads))
      }
      let set = cu_tape_command(file, cu_tape_set_block, 0)
      guard set == 0 else {
        files.close(file)
        return .failure(.system(path: path, call: "MTSETBLK", errno: -set))
      }
      let tells = cu_tape_position(file) >= 0
      let objects = tells ? nil : ObjectCount(status.beginning != 0 ? 0 : nil)
      return .success((file, reads, objects))
    }
    let (file, reads, objects) = try result.get()
    return LocalTape(path, file, readOnly: reads, objects: objects, ring: ring)
  }

  /// Opened to read, or the tape is protected.
  public override var isWriteProtected: Bool { readOnly }

  private final class Calls: CompletionHandler {
    private unowned let tape: LocalTape
    init(_ tape: LocalTape) { self.tape = tape }
    override func complete(_ completion: consuming Completion) { tape.came(completion) }
  }

  // MARK: Reads and writes

  /// Writes, one record at a time.
  public override func write(
    _ payload: consuming Payload, recordCount: Int, for client: DeviceClient, tag: UInt64
  ) {
    let length = payload.byteCount / recordCount
    append(
      Operation(
        client: ClientReference(client), tag: tag, reading: false, acceptsShorter: false,
        recordCount: recordCount, recordLength: length, rest: consume payload,
        status: readOnly ? .check(Condition(.dataProtect, .writeProtected)) : nil))
  }

  /// Reads, one record at a time.
  public override func read(
    into payload: consuming Payload, recordCount: Int, acceptsShorter: Bool,
    for client: DeviceClient, tag: UInt64
  ) {
    let length = payload.byteCount / recordCount
    append(
      Operation(
        client: ClientReference(client), tag: tag, reading: true, acceptsShorter: acceptsShorter,
        recordCount: recordCount, recordLength: length, rest: consume payload))
  }

  private func append(_ operation: consuming Operation) {
    precondition(count < 256, "callers keep to the ring's capacity")
    places[(first + count) & 255] = consume operation
    count += 1
    if !isRunning { later() }
  }

  /// Goes on in the next turn: nothing completes inside the call that submits.
  private func later() {
    isRunning = true
    ring.timeout(nanoseconds: 0, for: calls, tag: Call.turn.rawValue)
  }

  private enum Call: UInt64 { case turn, record }

  /// Starts the next record, or ends operations until there is one.
  private func goOn() {
    isRunning = false
    while count > 0, !isRunning {
      guard var operation = places[first].take() else {
        preconditionFailure("operations keep their places")
      }
      if operation.status == nil, operation.doneRecordCount < operation.recordCount {
        isRunning = true
        start(&operation)
        places[first] = consume operation
        if isRunning { return }
        continue
      }
      first = (first + 1) & 255
      count -= 1
      end(operation)
    }
  }

  private func start(_ operation: inout Operation) {
    guard var rest = operation.rest.take() else {
      preconditionFailure("records that are not done have their bytes")
    }
    var record = rest.removeFirst(operation.recordLength)
    operation.rest = consume rest
    if record.rangeCount > 1 {
      guard let whole = record.gathered(alignment: 4096) else {
        operation.original = consume record
        operation.status = .check(
          Condition(.hardwareError, .systemResourceFailure),
          byteCount: operation.doneRecordCount * operation.recordLength)
        isRunning = false
        return
      }
      copiedByteCount += operation.recordLength
      operation.original = consume record
      record = whole
    }
    if operation.reading {
      ring.read(file, at: 0, into: record, for: calls, tag: Call.record.rawValue)
    } else {
      ring.write(file, at: 0, from: record, for: calls, tag: Call.record.rawValue)
    }
  }

  private func came(_ completion: consuming Completion) {
    if completion.tag == Call.turn.rawValue { return goOn() }
    guard var operation = places[first].take() else {
      preconditionFailure("the first operation is the one in flight")
    }
    let result = completion.result
    var record = completion.takePayload()
    if var original = operation.original.take() {
      if operation.reading { original.overwrite(with: record.bytes()) }
      record = consume original
    }
    if operation.reading {
      afterRead(&operation, record, result)
    } else {
      afterWrite(&operation, record, result)
    }
    places[first] = consume operation
    goOn()
  }

  private func afterWrite(
    _ operation: inout Operation, _ record: consuming Payload, _ result: Int32
  ) {
    let outcome = Self.outcome(
      write: operation.recordLength, result: result, warned: hasWarned)
    hasWarned = outcome == .again
    switch outcome {
    case .again:
      isPastEarlyWarning = true
      var record = record
      if let rest = operation.rest.take() { record.append(rest) }
      operation.rest = consume record
    case .written:
      operation.keep(record)
      objects?.pass(1)
      operation.doneRecordCount += 1
      if operation.doneRecordCount == operation.recordCount {
        let byteCount = operation.recordCount * operation.recordLength
        operation.status =
          isPastEarlyWarning
          ? .check(Cartridge.earlyWarning, byteCount: byteCount) : .good(byteCount)
      }
    case .failed(var condition):
      operation.keep(record)
      objects?.lose()
      let left = operation.recordCount - operation.doneRecordCount
      condition.information = Int64(
        operation.recordCount == 1 ? operation.recordLength : left)
      operation.status = .check(
        condition, byteCount: operation.doneRecordCount * operation.recordLength)
    }
  }

  private func afterRead(
    _ operation: inout Operation, _ record: consuming Payload, _ result: Int32
  ) {
    operation.keep(record)
    let one = operation.recordCount == 1
    let left = operation.recordCount - operation.doneRecordCount
    let driver = result > 0 ? DriverStatus() : driverStatus()
    objects?.read(result, driver)
    let status = Self.status(
      read: operation.recordLength, result: result, driver: driver,
      residual: one ? operation.recordLength : left, acceptsShorter: operation.acceptsShorter)
    if status.isSuccess { operation.doneRecordCount += 1 }
    if status.isSuccess, operation.doneRecordCount < operation.recordCount { return }
    let before = one ? status.byteCount : operation.doneRecordCount * operation.recordLength
    operation.status = DeviceStatus(byteCount: before, condition: status.condition)
    if !one, status.condition?.incorrectLength == true {
      operation.status?.condition?.information = Int64(left)
    }
  }

  private func end(_ operation: consuming Operation) {
    var operation = operation
    let payload = operation.whole()
    guard let status = operation.status else {
      preconditionFailure("an operation that ends has a status")
    }
    if !status.isSuccess {
      for position in 0..<count {
        let place = (first + position) & 255
        guard var later = places[place].take() else { continue }
        later.status = Cartridge.aborted
        places[place] = consume later
      }
    }
    operation.client.complete(
      DeviceCompletion(tag: operation.tag, status: status, payload: payload))
  }

  // MARK: Everything else

  /// What the driver has in memory; it does not ask the drive, and nothing else is in flight.
  private func driverStatus() -> DriverStatus { Self.driverStatus(file.descriptor) }

  private static func driverStatus(_ descriptor: Int32) -> DriverStatus {
    var status = cu_tape_status()
    guard unsafe cu_tape_status(descriptor, &status) == 0 else { return DriverStatus() }
    return DriverStatus(
      residual: Int(status.residual), filemark: status.filemark != 0,
      endOfData: status.end_of_data != 0, beginning: status.beginning != 0,
      endOfMedium: status.end_of_medium != 0)
  }

  private func command(_ operation: Int32, _ count: Int) async -> (Int32, DriverStatus) {
    precondition(self.count == 0, "a tape is positioned with nothing in flight")
    let descriptor = file.descriptor
    guard let count = Int32(exactly: count) else { return (-EINVAL, DriverStatus()) }
    return await ring.blocking { _ in
      let result = cu_tape_command(descriptor, operation, count)
      return (result, result == 0 ? DriverStatus() : Self.driverStatus(descriptor))
    }
  }

  /// MTWEOF or MTWEOFI; 0 of them flush the drive's buffer.
  public override func writeFilemarks(_ count: Int, immediate: Bool) async -> DeviceStatus {
    if readOnly { return count == 0 ? .good() : .check(Condition(.dataProtect, .writeProtected)) }
    let operation =
      immediate && count > 0 ? cu_tape_write_filemarks_immediately : cu_tape_write_filemarks
    var (result, _) = await command(operation, count)
    if result == -ENOSPC {
      isPastEarlyWarning = true
      (result, _) = await command(operation, count)
    }
    if result < 0 {
      objects?.lose()
      return .check(Self.condition(errno: -result, writing: true))
    }
    objects?.pass(UInt64(count))
    return isPastEarlyWarning && count > 0 ? .check(Cartridge.earlyWarning) : .good()
  }

  /// MTFSR, MTBSR, MTFSF, MTBSF or MTEOM.
  public override func space(_ kind: SpaceKind, count: Int) async -> DeviceStatus {
    if count == 0, kind != .endOfData { return .good() }
    let operation =
      switch kind {
      case .records: count < 0 ? cu_tape_backward_records : cu_tape_forward_records
      case .filemarks: count < 0 ? cu_tape_backward_filemarks : cu_tape_forward_filemarks
      case .endOfData: cu_tape_end_of_data
      }
    let distance = kind == .endOfData ? 1 : abs(count)
    let (result, driver) = await command(operation, distance)
    isPastEarlyWarning = false
    objects?.move(kind, count, result, driver)
    return Self.status(moving: result, driver: driver)
  }

  /// MTSEEK; on a drive that cannot, from the beginning of the tape and object by object.
  public override func locate(_ object: UInt64) async -> DeviceStatus {
    if objects != nil { return await count(to: object) }
    let (result, driver) = await command(cu_tape_locate, Int(clamping: object))
    isPastEarlyWarning = false
    return Self.status(moving: result, driver: driver)
  }

  private func count(to object: UInt64) async -> DeviceStatus {
    if objects?.value == object { return .good() }
    let (result, driver) = await command(cu_tape_rewind, 1)
    guard result == 0 else {
      objects?.lose()
      return Self.status(moving: result, driver: driver)
    }
    objects = ObjectCount(0)
    isPastEarlyWarning = false
    while let value = objects?.value, value < object {
      let status = await space(.records, count: 1)
      if !status.isSuccess, status.condition?.filemark != true { return status }
    }
    guard objects?.value == object else {
      return .check(Condition(.mediumError, .sequentialPositioningError))
    }
    return .good()
  }

  /// MTIOCPOS, or what was counted since the beginning of the tape.
  public override func position() async throws(Condition) -> StreamPosition {
    if let objects {
      guard let object = objects.value else {
        throw Self.condition(errno: EIO, writing: false)
      }
      return StreamPosition(
        object: object, filemark: nil, isBeginning: object == 0, isEndOfData: nil,
        isPastEarlyWarning: isPastEarlyWarning)
    }
    let descriptor = file.descriptor
    let object = await ring.blocking { _ in cu_tape_position(descriptor) }
    guard object >= 0 else {
      throw Self.condition(errno: Int32(truncatingIfNeeded: -object), writing: false)
    }
    return StreamPosition(
      object: UInt64(object), filemark: nil, isBeginning: object == 0, isEndOfData: nil,
      isPastEarlyWarning: isPastEarlyWarning)
  }

  /// Flushes and closes; the driver writes a filemark where the last operation was a write.
  public override func close() async -> DeviceStatus {
    let status = await writeFilemarks(0, immediate: false)
    let descriptor = file.descriptor
    await ring.blocking { $0.close(descriptor) }
    return status
  }
}

extension LocalTape.Operation {
  fileprivate mutating func keep(_ record: consuming Payload) {
    if var done = done.take() {
      done.append(record)
      self.done = consume done
    } else {
      done = consume record
    }
  }

  /// The payload as it was given.
  fileprivate mutating func whole() -> Payload {
    if let original = original.take() { keep(original) }
    if let rest = rest.take() { keep(rest) }
    guard let whole = done.take() else {
      preconditionFailure("an operation keeps its payload")
    }
    return whole
  }
}
