/// Places that people name and the tz database does not, and names that need a question.
enum CityNames {
    /// One zone a line: its IANA name, a bar, places separated by commas.
    static let byZone = """
        America/New_York|NYC,New York City,Manhattan,Brooklyn,Boston,Washington DC,Miami,Atlanta,Philadelphia,Orlando
        America/New_York|Tampa,Charlotte,Cleveland,Pittsburgh,Baltimore,Jacksonville,Raleigh,Cincinnati,Columbus,Buffalo
        America/New_York|Eastern,ET,EST,EDT,US Eastern,East Coast,Connecticut,Delaware,Maine,Maryland,Massachusetts
        America/New_York|New Hampshire,New Jersey,North Carolina,Ohio,Pennsylvania,Rhode Island,South Carolina,Vermont
        America/New_York|Virginia,West Virginia,Richmond,Savannah,Charleston,Providence,Hartford,Newark
        America/Detroit|Michigan,Ann Arbor,Grand Rapids
        America/Indiana/Indianapolis|Indianapolis
        America/Chicago|Houston,Dallas,Austin,San Antonio,Minneapolis,Milwaukee,Kansas City,Saint Louis,St Louis
        America/Chicago|New Orleans,Memphis,Nashville,Oklahoma City,Omaha,Fort Worth,Madison,Tulsa,Central,CT,CDT
        America/Chicago|US Central,Alabama,Arkansas,Illinois,Iowa,Louisiana,Minnesota,Mississippi,Missouri,Oklahoma
        America/Chicago|Wisconsin,Des Moines,Baton Rouge,Little Rock
        America/Denver|Colorado,Salt Lake City,Albuquerque,Mountain,MT,MST,MDT,US Mountain,Montana,New Mexico,Utah,Wyoming
        America/Denver|Colorado Springs,Boulder,Santa Fe,Billings
        America/Phoenix|Arizona,Tucson,Scottsdale
        America/Los_Angeles|LA,San Francisco,SF,San Diego,Seattle,Las Vegas,Sacramento,Oakland,Pacific,PT,PST,PDT
        America/Los_Angeles|US Pacific,West Coast,California,Nevada,Berkeley,Palo Alto,Silicon Valley,Long Beach,Fresno
        America/Anchorage|Alaska,AKST,AKDT
        Pacific/Honolulu|Hawaii,HST,Maui
        America/Puerto_Rico|San Juan
        America/Toronto|Ottawa,Montreal,Ontario,Quebec,Quebec City,Mississauga
        America/Vancouver|British Columbia,Victoria BC
        America/Edmonton|Calgary,Alberta
        America/Winnipeg|Manitoba
        America/Regina|Saskatchewan,Saskatoon
        America/Halifax|Nova Scotia,AST,ADT
        America/St_Johns|Newfoundland,NST,NDT
        America/Mexico_City|Guadalajara,CDMX,Puebla
        America/Bogota|Medellin,Cali
        America/Sao_Paulo|Rio,Rio de Janeiro,Brasilia,BRT
        America/Argentina/Buenos_Aires|ART,Rosario
        America/Santiago|Chile,Valparaiso
        America/Guayaquil|Ecuador,Quito
        Europe/London|UK,United Kingdom,Great Britain,Britain,England,Scotland,Wales,Northern Ireland,BST,Manchester
        Europe/London|Liverpool,Leeds,Bristol,Sheffield,Edinburgh,Glasgow,Cardiff,Belfast,Oxford,Brighton,Nottingham
        Europe/London|Southampton,York,Aberdeen,Leicester,Bath,Exeter,Plymouth,Norwich,Swansea,Dundee,Coventry
        Europe/Dublin|Cork,Galway,Limerick
        Europe/Paris|Lyon,Marseille,Nice,Toulouse,Bordeaux,Lille,Nantes,Strasbourg,Montpellier,Rennes,Grenoble,CET,CEST
        Europe/Paris|Central European,Cannes,Dijon,Reims,Angers,Brest,Toulon,Corsica
        Europe/Berlin|Munich,Muenchen,Frankfurt,Hamburg,Cologne,Koeln,Stuttgart,Dusseldorf,Duesseldorf,Leipzig,Dresden
        Europe/Berlin|Hannover,Hanover,Nuremberg,Bremen,Bonn,Dortmund,Essen,Freiburg,Heidelberg
        Europe/Madrid|Barcelona,Valencia,Seville,Sevilla,Bilbao,Malaga,Zaragoza,Granada,Palma,Ibiza,Mallorca,Majorca
        Atlantic/Canary|Tenerife,Gran Canaria,Canary Islands,Lanzarote
        Europe/Rome|Milan,Milano,Naples,Napoli,Turin,Torino,Florence,Firenze,Venice,Bologna,Palermo,Genoa,Sicily,Sardinia
        Europe/Zurich|Geneva,Basel,Bern,Lausanne,Lucerne
        Europe/Vienna|Salzburg,Graz,Innsbruck,Linz
        Europe/Amsterdam|Rotterdam,The Hague,Utrecht,Eindhoven,Holland,Netherlands
        Europe/Brussels|Antwerp,Ghent,Bruges,Liege
        Europe/Lisbon|Porto,WET,WEST,Algarve,Faro
        Atlantic/Azores|Azores
        Europe/Stockholm|Gothenburg,Malmo,Uppsala
        Europe/Copenhagen|Aarhus,Odense
        Europe/Oslo|Bergen,Trondheim
        Europe/Helsinki|Tampere,Turku,Espoo
        Europe/Warsaw|Krakow,Cracow,Gdansk,Wroclaw,Poznan,Lodz
        Europe/Prague|Brno,Czech Republic,Czechia
        Europe/Athens|Thessaloniki,EET,EEST,Crete
        Europe/Istanbul|Ankara,Izmir,Turkey
        Europe/Kyiv|Kiev,Lviv,Odesa,Kharkiv,Ukraine
        Europe/Moscow|MSK,Saint Petersburg,St Petersburg
        Asia/Kolkata|India,Mumbai,Delhi,New Delhi,Bangalore,Bengaluru,Chennai,Hyderabad,Pune,Calcutta,Ahmedabad
        Asia/Shanghai|China,Beijing,Shenzhen,Guangzhou,Chengdu
        Asia/Hong_Kong|HKT
        Asia/Tokyo|JST,Osaka,Kyoto,Yokohama,Nagoya,Sapporo
        Asia/Seoul|KST,Korea,South Korea,Busan
        Asia/Pyongyang|North Korea
        Asia/Singapore|SGT
        Asia/Ho_Chi_Minh|Vietnam,Viet Nam,Hanoi,Saigon
        Asia/Dubai|Abu Dhabi,UAE,Emirates
        Asia/Riyadh|Jeddah,Mecca
        Asia/Karachi|Lahore,Islamabad,PKT
        Asia/Jerusalem|Tel Aviv,Haifa,Israel
        Asia/Manila|Cebu,Philippines
        Asia/Kathmandu|Nepal
        Asia/Tehran|Iran
        Asia/Taipei|Taiwan
        Asia/Yangon|Burma,Myanmar,Rangoon
        Africa/Johannesburg|Cape Town,Durban,Pretoria,SAST
        Africa/Lagos|Abuja,WAT
        Africa/Nairobi|EAT,Mombasa
        Africa/Cairo|Alexandria
        Africa/Casablanca|Rabat,Marrakesh,Marrakech
        Africa/Dar_es_Salaam|Tanzania,Zanzibar
        Australia/Sydney|Canberra,AEST,AEDT,New South Wales,NSW
        Australia/Melbourne|Victoria
        Australia/Brisbane|Gold Coast,Queensland
        Australia/Adelaide|South Australia,ACST,ACDT
        Australia/Perth|Western Australia,AWST
        Australia/Hobart|Tasmania
        Pacific/Auckland|Wellington,Christchurch,NZ,NZST,NZDT,New Zealand
        Etc/UTC|UTC,Universal,Coordinated Universal
        """

    /// One question a line: names, a bar, `label=zone` options. Countries with several zones, and words for several
    /// places.
    static let ambiguous = """
        United States,USA,US,America,the States|New York=America/New_York,Chicago=America/Chicago,Denver=America/Denver,\
        Los Angeles=America/Los_Angeles,Phoenix=America/Phoenix,Anchorage=America/Anchorage,Honolulu=Pacific/Honolulu
        Canada|Toronto=America/Toronto,Vancouver=America/Vancouver,Edmonton=America/Edmonton,\
        Winnipeg=America/Winnipeg,Halifax=America/Halifax,St Johns=America/St_Johns
        Australia|Sydney=Australia/Sydney,Melbourne=Australia/Melbourne,Brisbane=Australia/Brisbane,\
        Adelaide=Australia/Adelaide,Perth=Australia/Perth,Darwin=Australia/Darwin
        Brazil|Sao Paulo=America/Sao_Paulo,Manaus=America/Manaus,Fortaleza=America/Fortaleza,\
        Rio Branco=America/Rio_Branco
        Russia,Russian Federation|Moscow=Europe/Moscow,Kaliningrad=Europe/Kaliningrad,\
        Yekaterinburg=Asia/Yekaterinburg,Novosibirsk=Asia/Novosibirsk,Irkutsk=Asia/Irkutsk,Vladivostok=Asia/Vladivostok
        Mexico|Mexico City=America/Mexico_City,Cancun=America/Cancun,Tijuana=America/Tijuana,\
        Hermosillo=America/Hermosillo
        Indonesia|Jakarta=Asia/Jakarta,Makassar=Asia/Makassar,Jayapura=Asia/Jayapura
        Congo,Democratic Republic of the Congo,DRC|Kinshasa=Africa/Kinshasa,Lubumbashi=Africa/Lubumbashi,\
        Brazzaville=Africa/Brazzaville
        CST|Chicago=America/Chicago,Shanghai=Asia/Shanghai,Havana=America/Havana
        IST|India=Asia/Kolkata,Ireland=Europe/Dublin,Israel=Asia/Jerusalem
        GMT|London=Europe/London,UTC all year=Etc/UTC
        Portland|Oregon=America/Los_Angeles,Maine=America/New_York
        Birmingham|England=Europe/London,Alabama=America/Chicago
        Cambridge|England=Europe/London,Massachusetts=America/New_York
        Newcastle|England=Europe/London,Australia=Australia/Sydney
        Georgia|Tbilisi=Asia/Tbilisi,US state=America/New_York
        San Jose|California=America/Los_Angeles,Costa Rica=America/Costa_Rica
        Washington|DC=America/New_York,Seattle=America/Los_Angeles
        Texas|Dallas=America/Chicago,El Paso=America/Denver
        Florida|Miami=America/New_York,Pensacola=America/Chicago
        Tennessee|Nashville=America/Chicago,Knoxville=America/New_York
        Kentucky|Louisville=America/Kentucky/Louisville,Bowling Green=America/Chicago
        Indiana|Indianapolis=America/Indiana/Indianapolis,Gary=America/Chicago
        Kansas|Wichita=America/Chicago,Goodland=America/Denver
        Nebraska|Omaha=America/Chicago,Scottsbluff=America/Denver
        North Dakota|Fargo=America/Chicago,Dickinson=America/Denver
        South Dakota|Sioux Falls=America/Chicago,Rapid City=America/Denver
        Oregon|Portland=America/Los_Angeles,Ontario=America/Boise
        Idaho|Boise=America/Boise,Coeur d'Alene=America/Los_Angeles
        Valencia|Spain=Europe/Madrid,Venezuela=America/Caracas
        Cordoba|Argentina=America/Argentina/Cordoba,Spain=Europe/Madrid
        Tripoli|Libya=Africa/Tripoli,Lebanon=Asia/Beirut
        """
}
