"""Words that names of made-up organizations and people are put together from."""

# ruff: noqa: SIM905  # a paragraph of words reads better than a column of them

PLACES = (
    "Aldermere Arvik Astra Baltus Brevik Calder Carrow Cobalt Corvane Dorvik Drayton Eastholm Elvane Fenwick Ferrow "
    "Galdane Gantry Granvik Hadley Harrow Helmsund Hollin Ironquay Ivarsund Jessen Kaldvik Kestrel Korven Larkfield "
    "Lindholm Lorvane Marrow Merrin Midgate Morvik Nethers Norvane Oakhaven Orlund Ostermark Pellmar Pinnock Quarrel "
    "Ravik Redmoor Rosund Saltmere Skarholm Sornvik Stavern Tarrow Thornby Tidewell Ulvane Vantor Westmarch Yarrow"
).split()
TRADES = ("Cargo", "Forwarding", "Freight", "Lines", "Logistics", "Maritime", "Shipping", "Spedition", "Transport")
FIRST = (
    "Ada Amir Anna Bente Bruno Carla Chen Clara Daan Deniz Elena Emil Eva Farid Finn Freya Greta Hanna Hugo Ida Ines "
    "Ivan Jan Jonas Julia Kaia Karim Lars Lena Lucia Luis Maja Marco Marta Mei Mila Nadia Nils Noor Olga Oscar Pablo "
    "Petra Priya Rafael Rosa Samir Sanne Sofia Stefan Tara Tomasz Vera Viktor Wei Yara Yusuf Zoe"
).split()
LAST = (
    "Anselm Aydin Bakker Berg Bianchi Brandt Castro Chan Costa Dahl Dekker Dubois Engel Fischer Garcia Haas Hansen "
    "Ibarra Jansen Keller Kim Kowalski Kral Larsen Lim Lopez Maier Martin Meyer Moen Moreau Nguyen Novak Olsen Osei "
    "Patel Pereira Peters Quist Ramos Rossi Roth Sato Schmidt Silva Singh Smit Solberg Svoboda Tan Torres Vega Visser "
    "Vos Weber Wolff Yilmaz Young Zhang Zielinski"
).split()
