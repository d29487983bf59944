/// What is known of the services, in the form of the operator's file (docs/oauth.md).
///
/// Sources: Google "Using OAuth 2.0 for Web Server Applications" and RFC 7009; Microsoft identity platform "OAuth 2.0
/// authorization code flow" and "Refresh tokens"; Notion "Authorization" and its client library's types.
enum BuiltInProviders {
    static let json = """
        {
          "providers": {
            "microsoft": {
              "name": "Microsoft",
              "tenant": "common",
              "authorization": "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
              "token": "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
              "hosts": ["graph.microsoft.com"],
              "authentication": "body", "body": "form", "pkce": true,
              "parameters": {"response_mode": "query"},
              "rotation": "replaced", "accessSeconds": 3600, "idleRenewalDays": 30,
              "management": "https://account.live.com/consent/Manage",
              "scopes": {
                "always": ["offline_access", "User.Read"], "unlisted": ["offline_access"],
                "prefix": "https://graph.microsoft.com/", "onToken": true,
                "implied": {
                  "Calendars.ReadWrite": ["Calendars.Read", "Calendars.ReadBasic"],
                  "Calendars.Read": ["Calendars.ReadBasic"],
                  "Mail.ReadWrite": ["Mail.Read", "Mail.ReadBasic"], "Mail.Read": ["Mail.ReadBasic"],
                  "Tasks.ReadWrite": ["Tasks.Read"], "Files.ReadWrite": ["Files.Read"],
                  "Contacts.ReadWrite": ["Contacts.Read"]
                },
                "descriptions": {
                  "offline_access": "keep access while you are away", "User.Read": "see your name and address",
                  "Mail.ReadBasic": "see who wrote to you about what", "Mail.Read": "read your mail",
                  "Mail.ReadWrite": "draft, move and mark your mail", "Mail.Send": "send mail as you",
                  "Calendars.ReadBasic": "see when you are busy", "Calendars.Read": "read your calendar",
                  "Calendars.ReadWrite": "change your calendar", "Tasks.Read": "read your to-do lists",
                  "Tasks.ReadWrite": "change your to-do lists"
                }
              }
            },
            "google": {
              "name": "Google",
              "authorization": "https://accounts.google.com/o/oauth2/v2/auth",
              "token": "https://oauth2.googleapis.com/token",
              "revocation": {"address": "https://oauth2.googleapis.com/revoke", "token": "refresh"},
              "hosts": ["gmail.googleapis.com", "www.googleapis.com", "people.googleapis.com", "tasks.googleapis.com"],
              "authentication": "body", "body": "form", "pkce": true,
              "parameters": {"access_type": "offline", "prompt": "consent", "include_granted_scopes": "true"},
              "rotation": "never", "accessSeconds": 3600, "idleRenewalDays": 60,
              "management": "https://myaccount.google.com/permissions",
              "scopes": {
                "implied": {
                  "https://mail.google.com/": [
                    "https://www.googleapis.com/auth/gmail.modify", "https://www.googleapis.com/auth/gmail.readonly",
                    "https://www.googleapis.com/auth/gmail.compose", "https://www.googleapis.com/auth/gmail.send"
                  ],
                  "https://www.googleapis.com/auth/gmail.modify": [
                    "https://www.googleapis.com/auth/gmail.readonly", "https://www.googleapis.com/auth/gmail.compose",
                    "https://www.googleapis.com/auth/gmail.send"
                  ],
                  "https://www.googleapis.com/auth/gmail.compose": ["https://www.googleapis.com/auth/gmail.send"],
                  "https://www.googleapis.com/auth/calendar": [
                    "https://www.googleapis.com/auth/calendar.events",
                    "https://www.googleapis.com/auth/calendar.events.readonly"
                  ],
                  "https://www.googleapis.com/auth/calendar.events": [
                    "https://www.googleapis.com/auth/calendar.events.readonly"
                  ]
                },
                "descriptions": {
                  "https://mail.google.com/": "read, send and delete your mail",
                  "https://www.googleapis.com/auth/gmail.readonly": "read your mail",
                  "https://www.googleapis.com/auth/gmail.modify": "read, sort and send your mail",
                  "https://www.googleapis.com/auth/gmail.compose": "draft and send mail as you",
                  "https://www.googleapis.com/auth/gmail.send": "send mail as you",
                  "https://www.googleapis.com/auth/calendar.events.readonly": "read your calendar",
                  "https://www.googleapis.com/auth/calendar.events": "change your calendar"
                }
              }
            },
            "youtube": {
              "name": "YouTube",
              "authorization": "https://accounts.google.com/o/oauth2/v2/auth",
              "token": "https://oauth2.googleapis.com/token",
              "revocation": {"address": "https://oauth2.googleapis.com/revoke", "token": "refresh"},
              "hosts": ["youtube.googleapis.com", "www.googleapis.com"],
              "authentication": "body", "body": "form", "pkce": true,
              "parameters": {"access_type": "offline", "prompt": "consent", "include_granted_scopes": "false"},
              "rotation": "never", "accessSeconds": 3600, "idleRenewalDays": 60,
              "management": "https://myaccount.google.com/permissions",
              "scopes": {
                "implied": {
                  "https://www.googleapis.com/auth/youtube": ["https://www.googleapis.com/auth/youtube.readonly"],
                  "https://www.googleapis.com/auth/youtube.force-ssl": [
                    "https://www.googleapis.com/auth/youtube.readonly", "https://www.googleapis.com/auth/youtube"
                  ]
                },
                "descriptions": {
                  "https://www.googleapis.com/auth/youtube.readonly": "see your videos, playlists and subscriptions",
                  "https://www.googleapis.com/auth/youtube": "manage your videos and playlists",
                  "https://www.googleapis.com/auth/youtube.force-ssl": "read captions and manage your videos"
                }
              }
            },
            "notion": {
              "name": "Notion",
              "authorization": "https://api.notion.com/v1/oauth/authorize",
              "token": "https://api.notion.com/v1/oauth/token",
              "revocation": {
                "address": "https://api.notion.com/v1/oauth/revoke", "token": "access", "authenticated": true
              },
              "hosts": ["api.notion.com"],
              "authentication": "basic", "body": "json", "pkce": false,
              "parameters": {"owner": "user"},
              "rotation": "singleUse",
              "management": "https://www.notion.so/profile/connections"
            }
          }
        }
        """
}
