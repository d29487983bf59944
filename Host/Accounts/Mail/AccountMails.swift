import TandemCore

/// The mails about accounts: short, and never with a secret but the one they are for.
enum AccountMails {
    private static let ignore = "If that was not you, ignore this mail: without the link nothing happens."
    private static let alarm =
        "If that was not you, set a new password now with \"Forgot password\", and look at your sessions."

    private static func link(_ settings: AccountSettings, _ path: String, _ token: String) -> String {
        // After the #, so that it is in no log of a server and no Referer.
        "\(settings.publicAddress)\(path)#\(token)"
    }

    private static func minutes(_ time: Duration) -> String {
        let minutes = time.milliseconds / 60_000
        return minutes < 120 ? "\(minutes) minutes" : "\(minutes / 60) hours"
    }

    static func signUp(_ settings: AccountSettings, to address: String, _ token: String) -> Mail {
        Mail(
            to: address, subject: "Finish signing up for \(settings.productName)",
            text: """
                Hello,

                open this link to finish signing up:
                \(link(settings, "/sign-up/finish", token))

                It is good for \(minutes(settings.signUpLifetime)). \(ignore)
                """)
    }

    static func signUpAgain(_ settings: AccountSettings, _ account: Account) -> Mail {
        Mail(
            to: account.email, subject: "You have a \(settings.productName) account already",
            text: """
                Hello,

                somebody, probably you, wanted to sign up with this address. There is an account with it already:
                sign in, or choose "Forgot password" at \(settings.publicAddress).

                If that was not you, ignore this mail. Nothing has changed.
                """)
    }

    static func passwordReset(_ settings: AccountSettings, _ account: Account, _ token: String) -> Mail {
        Mail(
            to: account.email, subject: "Set a new \(settings.productName) password",
            text: """
                Hello,

                open this link to set a new password:
                \(link(settings, "/password/reset", token))

                It is good for \(minutes(settings.linkLifetime)), once. \(ignore)
                """)
    }

    static func passwordChanged(_ settings: AccountSettings, _ account: Account) -> Mail {
        Mail(
            to: account.email, subject: "Your \(settings.productName) password was changed",
            text: "Hello,\n\nthe password of your account was changed, and your other sessions were ended.\n\n\(alarm)")
    }

    static func emailVerification(_ settings: AccountSettings, _ account: Account, _ token: String) -> Mail {
        Mail(
            to: account.email, subject: "Is this your address?",
            text: """
                Hello,

                open this link to show that this address is yours:
                \(link(settings, "/email/verify", token))

                It is good for \(minutes(settings.linkLifetime)). \(ignore)
                """)
    }

    static func emailChange(_ settings: AccountSettings, to address: String, _ code: String) -> Mail {
        Mail(
            to: address, subject: "\(code) is your \(settings.productName) code",
            text: "Hello,\n\n\(code) is the code to use this address for your account. It is good for"
                + " \(minutes(settings.codeLifetime)).\n\nIf that was not you, ignore this mail.")
    }

    static func emailChanged(_ settings: AccountSettings, _ account: Account) -> Mail {
        Mail(
            to: account.email, subject: "The address of your \(settings.productName) account was changed",
            text: "Hello,\n\nyour account uses another e-mail address from now on.\n\nIf that was not you, write to the"
                + " operator of \(settings.publicAddress) at once.")
    }

    static func proofCode(_ settings: AccountSettings, _ account: Account, _ code: String) -> Mail {
        Mail(
            to: account.email, subject: "\(code) is your \(settings.productName) code",
            text: "Hello,\n\n\(code) is the code to confirm what you asked for. It is good for"
                + " \(minutes(settings.codeLifetime)). Nobody of us will ask you for it.\n\n\(alarm)")
    }

    static func secondFactorOn(_ settings: AccountSettings, _ account: Account) -> Mail {
        Mail(
            to: account.email, subject: "Your \(settings.productName) account asks for a code now",
            text:
                "Hello,\n\nan authenticator app was set up for your account. Keep the recovery codes somewhere safe.\n\n"
                + alarm)
    }

    static func secondFactorOff(_ settings: AccountSettings, _ account: Account) -> Mail {
        Mail(
            to: account.email, subject: "Your \(settings.productName) account asks for no code any more",
            text: "Hello,\n\nthe second factor of your account was switched off.\n\n\(alarm)")
    }

    static func recoveryCodeUsed(_ settings: AccountSettings, _ account: Account) -> Mail {
        Mail(
            to: account.email, subject: "A recovery code was used",
            text: "Hello,\n\none of the recovery codes of your account was used.\n\n\(alarm)")
    }

    static func phoneReleased(_ settings: AccountSettings, _ account: Account) -> Mail {
        Mail(
            to: account.email, subject: "A number left your \(settings.productName) account",
            text: "Hello,\n\nsomebody else proved that a phone number of your account is theirs now, as it happens when"
                + " carriers give a number to a new customer. It no longer belongs to your account; they see nothing of"
                + " yours.\n\nIf the number is still yours, sign in at \(settings.publicAddress) and add it again.")
    }
}
