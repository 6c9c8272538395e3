import Digests
import Glibc
import ISCSIProtocol
import Uring

/// A connection that has logged in: its channel, paused, with what was agreed on.
struct InitiatorConnection {
  var exchange: InitiatorExchange
  var result: LoginResult
  /// MaxCmdSN of the last response: the command window as it is at first.
  var maxCmdSN: SerialNumber

  /// Resolves, connects and logs in, following redirections, all within one deadline.
  ///
  /// - Throws: why not, with the way out. Nothing stays open then.
  static func open(
    _ options: InitiatorOptions, ring: Ring
  ) async throws(InitiatorError) -> InitiatorConnection {
    do throws(InitiatorError) {
      return try await follow(options, ring)
    } catch {
      // What a target calls our fault that takes the number of one algorithm for that of another.
      guard case .loginRefused(_, .initiatorError) = error,
        let legacy = options.authentication?.legacyOnly
      else { throw error }
      var options = options
      options.authentication = legacy
      return try await follow(options, ring)
    }
  }

  private static func follow(
    _ options: InitiatorOptions, _ ring: Ring
  ) async throws(InitiatorError) -> InitiatorConnection {
    let deadline = ring.now + options.loginTimeoutSeconds * 1_000_000_000
    var portal = options.portal
    for _ in 0...InitiatorOptions.mostRedirections {
      switch try await attempt(options, portal, deadline, ring) {
      case .open(let connection): return connection
      case .redirected(let redirect): portal = redirect.address
      }
    }
    throw .redirectedTooOften(
      target: options.label, count: InitiatorOptions.mostRedirections + 1)
  }

  private enum Attempt {
    case open(InitiatorConnection)
    case redirected(Redirect)
  }

  private static func attempt(
    _ options: InitiatorOptions, _ portal: PortalAddress, _ deadline: UInt64, _ ring: Ring
  ) async throws(InitiatorError) -> Attempt {
    let descriptor = try await connect(options, portal, deadline, ring)
    let exchange = try InitiatorExchange(descriptor, options.label, ring: ring)
    let seconds = max(1, (deadline - min(deadline, ring.now)) / 1_000_000_000)
    let timer = InitiatorDeadline(ring, seconds: seconds) {
      exchange.fail(
        .loginTimeout(target: options.label, seconds: options.loginTimeoutSeconds))
    }
    do throws(InitiatorError) {
      let outcome = try await logIn(options, exchange)
      await timer.cancel()
      // The deadline may have passed in the turn of the last response.
      if let failure = exchange.failure { throw failure }
      if case .redirected = outcome { await exchange.close() }
      return outcome
    } catch {
      await timer.cancel()
      await exchange.close()
      throw error
    }
  }

  /// Tries the addresses of the portal one after another.
  private static func connect(
    _ options: InitiatorOptions, _ portal: PortalAddress, _ deadline: UInt64, _ ring: Ring
  ) async throws(InitiatorError) -> Int32 {
    let label = options.label
    let addresses: [SocketAddress]
    do throws(NetworkError) {
      addresses = try await ring.resolve(host: portal.host, port: portal.port)
    } catch {
      throw InitiatorError(error, label)
    }
    var last = InitiatorError.unknownHost(target: label, reason: "it has no address")
    for (index, address) in addresses.enumerated() {
      let now = ring.now
      guard now < deadline else {
        throw .loginTimeout(target: label, seconds: options.loginTimeoutSeconds)
      }
      let descriptor: Int32
      do throws(NetworkError) {
        descriptor = try Socket.make(for: address, from: options.source)
      } catch {
        last = InitiatorError(error, label)
        continue
      }
      // An address that does not answer leaves time for those behind it.
      let share = (deadline - now) / UInt64(addresses.count - index)
      let result = await ring.connect(descriptor, to: address, nanoseconds: share)
      if result == 0 { return descriptor }
      Socket.close(descriptor)
      last = .unreachable(target: label, address: "\(address)", errno: -result)
    }
    throw last
  }

  private static func logIn(
    _ options: InitiatorOptions, _ exchange: InitiatorExchange
  ) async throws(InitiatorError) -> Attempt {
    var configuration = InitiatorLogin.Configuration(
      initiatorName: options.initiatorName, targetName: options.targetName, isid: options.isid,
      chap: options.authentication, policy: options.negotiation,
      challenge: CHAPChallenge(random: secureRandom(byteCount: 33)))
    configuration.portalGroupTag = options.portal.portalGroupTag
    var login = InitiatorLogin(configuration)
    var action = login.start()
    var maxCmdSN = configuration.cmdSN
    while true {
      switch action {
      case .send(let request, let text):
        try exchange.send(request.header, text: text)
        let answer = try await exchange.receive()
        do throws(LoginError) {
          action = try login.receive(answer.header, data: answer.data)
          if let response = try? LoginResponse(answer.header), maxCmdSN < response.maxCmdSN {
            maxCmdSN = response.maxCmdSN
          }
        } catch {
          if case .redirected(let redirect) = error { return .redirected(redirect) }
          throw InitiatorError(error, options.label)
        }
      case .established(let result):
        return .open(
          InitiatorConnection(exchange: exchange, result: result, maxCmdSN: maxCmdSN))
      }
    }
  }
}

extension InitiatorError {
  init(_ error: NetworkError, _ label: String) {
    switch error {
    case .unknownHost(_, let reason): self = .unknownHost(target: label, reason: reason)
    case .failed(_, let address, let errno):
      self = .unreachable(target: label, address: "\(address)", errno: errno)
    }
  }

  init(_ error: LoginError, _ label: String) {
    switch error {
    case .refused(let status): self = .loginRefused(target: label, status: status)
    case .badRedirect: self = .badRedirection(target: label)
    default: self = .loginFailed(target: label, reason: "\(error)")
    }
  }
}
