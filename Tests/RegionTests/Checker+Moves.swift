@testable import Region

extension Checker {
  static let drive: [UInt8] = Array("drive".utf8)

  /// What `index` may do next; fate are those that need not ever happen.
  func moves(of index: Int, in model: Model) -> [(Move, isFate: Bool)] {
    let one = model.processors[index]
    load(model)
    let tables = section()
    var moves: [(Move, isFate: Bool)] = []
    let mustReap =
      model.lockIsDamaged
      || (0..<3).contains {
        !model.processors[$0].isAlive && tables.state(ofProcessor: $0) != .free
      }
    if mustReap { moves.append((.reap, false)) }
    if one.leaves { return moves + [(.leave, false)] }
    switch one.target {
    case .start: moves.append((.reserve, false))
    case .reserved: moves.append((.post, false))
    case .waiting:
      if one.isTargetWoken { moves.append((.take, false)) }
      if model.aborts > 0 { moves.append((.abort, true)) }
    case .taken: moves.append((.close, false))
    case .none, .done: break
    }
    switch one.kernel {
    case .look:
      if one.hasDeclined { moves.append((.ready, false)) }
      if one.isKernelWoken { moves.append((.look, false)) }
    case .found: moves.append((.claim, false))
    case .claimed:
      moves.append((.start, false))
      if model.declines > 0 { moves.append((.decline, true)) }
    case .searching:
      moves.append((.hit, false))
      if misses { moves.append((.miss, false)) }
    case .missed: moves.append((.mark, false))
    case .holding: moves.append((.begin, false))
    case .transferring: moves.append((.progress, false))
    case .moved: moves.append((.finish, false))
    case .stopping: moves.append((.stop, false))
    }
    if model.silences > 0 {
      for victim in 0..<3
      where victim != index && model.processors[victim].isAlive
        && tables.state(ofProcessor: victim) == .alive
      {
        moves.append((.fence(victim), true))
      }
    }
    return moves
  }

  /// Makes one move, a section with what stands around it, and returns how many stores it took.
  @discardableResult
  func perform(_ move: Move, by index: Int, on model: inout Model, fuse: StoreFuse?) throws -> Int {
    load(model)
    let counter = fuse ?? StoreFuse(left: 1 << 20)
    let before = counter.left
    var tables = section(counter)
    let dead = model
    if model.lockIsDamaged, canary != .noRepair {
      tables.repair()
      tables.reap { !dead.processors[$0].isAlive }
    }
    model.lockIsDamaged = false
    let member = ProcessorID(index: index, epoch: UInt64(index + 1))
    do throws(RegionError) {
      try act(move, member, &tables, &model)
    } catch {
      switch error {
      case .fenced:
        model.processors[index].leaves = true
        model.processors[index].target = .done
        model.processors[index].kernel = .look
      case _ where fuse != nil: break
      default: throw fail("\(index) cannot \(move): \(error)")
      }
    }
    save(&model)
    let isLost = canary == .lostWake && (move == .miss || move == .mark || move == .finish)
    for other in 0..<3 where tables.wakes & 1 << UInt64(other) != 0 && !isLost {
      model.processors[other].isTargetWoken = true
      model.processors[other].isKernelWoken = true
    }
    return before - counter.left
  }

  private func act(
    _ move: Move, _ member: ProcessorID, _ tables: inout Arbitration, _ model: inout Model
  ) throws(RegionError) {
    let index = member.index
    switch move {
    case .reserve, .post, .take, .close, .abort:
      try actAsTarget(move, member, &tables, &model)
    case .reap: tables.reap { [model] in !model.processors[$0].isAlive }
    case .leave:
      tables.leave(member)
      model.processors[index].isAlive = false
    case .fence(let victim):
      model.silences -= 1
      if canary == .fencedDriveIsFree {
        tables.retire(victim, .processorSilent)
      } else {
        tables.fence(victim)
      }
    default:
      let work = model.processors[index].work
      let job = JobID(number: model.jobs[work].number)
      try actAsKernel(move, member, job, &tables, &model)
    }
  }

  private func actAsTarget(
    _ move: Move, _ member: ProcessorID, _ tables: inout Arbitration, _ model: inout Model
  ) throws(RegionError) {
    let index = member.index
    let job = JobID(number: model.jobs[index].number)
    switch move {
    case .reserve:
      model.jobs[index].number = try tables.reserve(listBytes: 40, by: member).job.number
      model.processors[index].target = .reserved
    case .post:
      model.processors[index].target = .waiting
      model.processors[index].isTargetWoken = false
      try tables.post(job, candidates: index == 0 ? 0b110 : 0b101, by: member)
    case .take:
      model.processors[index].isTargetWoken = false
      guard let result = try tables.takeResult(of: job, by: member) else { return }
      saw(result.outcome)
      if result.isGood { model.jobs[index].goods += 1 }
      model.processors[index].target = .taken
    case .close:
      try tables.close(job, by: member)
      model.processors[index].target = .done
    default:
      model.aborts -= 1
      do throws(RegionError) { try tables.abort(job) } catch {
        guard case .wrongPhase(.finished) = error else { throw error }
      }
    }
  }

  private func actAsKernel(
    _ move: Move, _ member: ProcessorID, _ job: JobID, _ tables: inout Arbitration,
    _ model: inout Model
  ) throws(RegionError) {
    let index = member.index
    let work = model.processors[index].work
    func go(_ kernel: Model.Kernel) { model.processors[index].kernel = kernel }
    func goLooking() {
      model.processors[index].isKernelWoken = true
      go(.look)
    }
    /// Goes on where the step was taken, and stops where the job was told to end.
    func go(_ kernel: Model.Kernel, after step: () throws(RegionError) -> Void) throws(RegionError)
    {
      do throws(RegionError) {
        try step()
        go(kernel)
      } catch {
        guard case .aborted = error else { throw error }
        go(.stopping)
      }
    }
    switch move {
    case .look:
      model.processors[index].isKernelWoken = false
      guard let found = try tables.look(member) else { return }
      model.processors[index].work = model.jobs[0].number == found.number ? 0 : 1
      go(.found)
    case .claim:
      if canary == .claimWithoutCheck {
        tables.seize(try tables.slot(of: job), for: member)
        return go(.claimed)
      }
      do throws(RegionError) {
        try tables.claim(job, by: member)
        go(.claimed)
      } catch {
        switch error {
        case .taken, .noSuchJob, .notACandidate, .wrongPhase: goLooking()
        default: throw error
        }
      }
    case .decline:
      model.declines -= 1
      try tables.decline(job, by: member)
      model.processors[index].hasDeclined = true
      goLooking()
    case .ready:
      model.processors[index].hasDeclined = false
      if try tables.ready(member) { model.processors[index].isKernelWoken = true }
    case .start:
      try go(.searching) { () throws(RegionError) in try tables.start(job, by: member) }
    case .miss:
      try tables.noteMiss(job, port: 0, .noConnection, by: member)
      try tables.markUnavailable(job, by: member)
      goLooking()
    case .hit:
      do throws(RegionError) {
        try go(.holding) { () throws(RegionError) in
          try tables.claimDevice(Self.drive, for: job, by: member)
        }
      } catch {
        guard case .deviceHeld = error else { throw error }
        go(.missed)
      }
    case .mark:
      try tables.markUnavailable(job, by: member)
      goLooking()
    case .begin:
      try go(.transferring) { () throws(RegionError) in
        try tables.beginTransfer(job, by: member)
        model.jobs[work].starts += 1
      }
    case .progress:
      try go(.moved) { () throws(RegionError) in
        try tables.noteProgress(job, TransferProgress(bytes: 1, border: 1), by: member)
      }
    case .finish:
      model.jobs[work].isDone = true
      try tables.finish(job, CopyReport(status: 0), by: member)
      goLooking()
    default:
      var report = CopyReport(status: 0)
      report.isAborted = true
      try tables.finish(job, report, by: member)
      goLooking()
    }
  }
}
