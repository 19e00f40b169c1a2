"""What a report says of a model's reasons, in English and French: names of families, headings and sentences."""

from __future__ import annotations

from sonotheque.report.wording import Phrase

REASONS: dict[str, Phrase] = {
    "family mfcc": Phrase("timbre (MFCC)", "timbre (MFCC)"),
    "family mfcc_delta": Phrase("change of timbre (MFCC\u00a0Δ)", "évolution du timbre (MFCC\u00a0Δ)"),
    "family mfcc_delta2": Phrase("acceleration of timbre (MFCC\u00a0ΔΔ)", "accélération du timbre (MFCC\u00a0ΔΔ)"),
    "family centroid": Phrase("brightness (centroid)", "brillance (centroïde)"),
    "family bandwidth": Phrase("spectral width (bandwidth)", "largeur spectrale (bande)"),
    "family rolloff": Phrase("upper edge (rolloff)", "limite aiguë (rolloff)"),
    "family flatness": Phrase("noise or tone (flatness)", "bruit ou son (platitude)"),
    "family zero_crossings": Phrase("zero crossings", "passages par zéro"),
    "family contrast": Phrase("peaks over valleys (contrast)", "pics et creux (contraste)"),
    "family bark": Phrase("levels of bands (Bark)", "niveaux par bande (Bark)"),
    "family rms": Phrase("level (RMS)", "niveau (RMS)"),
    "family envelope": Phrase("dynamics (envelope)", "dynamique (enveloppe)"),
    "family onset": Phrase("attacks (onset)", "attaques (onset)"),
    "family tempo": Phrase("tempo", "tempo"),
    "family beat_strength": Phrase("strength of the beat", "force de la pulsation"),
    "family chroma": Phrase("harmony (chroma)", "harmonie (chroma)"),
    "family tonnetz": Phrase("harmony (tonnetz)", "harmonie (tonnetz)"),
    "family key": Phrase("key and mode", "tonalité et mode"),
    "family lowlevel": Phrase("sound (lowlevel)", "son (lowlevel)"),
    "family rhythm": Phrase("rhythm", "rythme (rhythm)"),
    "family tonal": Phrase("harmony (tonal)", "harmonie (tonal)"),
    "section importance": Phrase("What the model goes by", "Sur quoi le modèle s'appuie"),
    "section trees": Phrase("What trees make of the columns", "Ce que des arbres tirent des colonnes"),
    "section tags": Phrase("Each genre in listeners' tags", "Chaque genre en mots d'auditeurs"),
    "figure permutation": Phrase("What is lost without each family", "Ce qui se perd sans chaque famille"),
    "figure trees": Phrase("What each family adds, in trees", "Ce qu'apporte chaque famille, dans des arbres"),
    "figure columns": Phrase("The columns that add most, in trees", "Les colonnes qui apportent le plus, dans des arbres"),
    "axis rise": Phrase("log loss added", "perte log. en plus"),
    "axis added": Phrase("mean contribution", "apport moyen"),
    "column family": Phrase("family", "famille"),
    "column drop": Phrase("accuracy lost (points)", "exactitude perdue (points)"),
    "column rise": Phrase("log loss added", "perte log. en plus"),
    "column families": Phrase("families", "familles"),
    "column columns": Phrase("columns", "colonnes"),
    "column rising": Phrase("rises with", "monte avec"),
    "column falling": Phrase("falls with", "baisse avec"),
    "whole space": Phrase("{space}, as a whole", "{space}, en entier"),
    "as numbers": Phrase("The same in numbers", "Les mêmes en nombres"),
    "importance what": Phrase(
        "The tested tracks of each fold exchanged the values of one family of columns, several times, and the same models answered "
        "again: what the answers lose is what the model owes to that family.",
        "Dans chaque bloc, les morceaux testés ont échangé plusieurs fois les valeurs d'une famille de colonnes, et les mêmes "
        "modèles ont répondu de nouveau : ce que perdent les réponses, le modèle le doit à cette famille.",
    ),
    "importance space": Phrase(
        "Without {space} as a whole the accuracy changes by {points} points ({interval}).",
        "Sans {space} en entier, l'exactitude change de {points} points ({interval}).",
    ),
    "importance top": Phrase(
        "Of {count} families, {clear} can be shown to be needed alone (log loss, 95 % intervals). Most of all {family}: log loss "
        "{rise} ({interval}), accuracy {points} points ({between}).",
        "Sur {count} familles, on peut montrer pour {clear} que le modèle en a besoin à elle seule (perte logarithmique, "
        "intervalles à 95 %). Avant tout {family} : perte logarithmique {rise} ({interval}), exactitude {points} points "
        "({between}).",
    ),
    "importance none": Phrase(
        "Of none of the {count} families can it be shown that the model needs it alone.",
        "D'aucune des {count} familles on ne peut montrer que le modèle en ait besoin à elle seule.",
    ),
    "importance shared": Phrase(
        "A family without a loss may still say much: families that say the same stand in for each other, and share the importance. "
        "An interval tells how the loss varies with the artists tested, for these very models.",
        "Une famille sans perte peut pourtant dire beaucoup : des familles qui disent la même chose se remplacent, et partagent "
        "l'importance. L'intervalle dit comment la perte varie avec les artistes testés, pour ces modèles-là.",
    ),
    "importance nameless": Phrase(
        "The columns of {spaces} have no names of their own, so that such a space can only be taken as a whole.",
        "Les colonnes de {spaces} n'ont pas de nom propre : un tel espace ne se prend qu'en entier.",
    ),
    "read permutation": Phrase(
        "Bars to the right: the answers become worse without the family. Grey: the interval (whisker) holds 0 or lies below.",
        "Barres vers la droite : les réponses sont moins bonnes sans la famille. Gris : l'intervalle (moustache) contient 0 ou "
        "se trouve au-dessous.",
    ),
    "trees judged": Phrase(
        "Among the judged models are boosted trees ({models}); this section is about them alone.",
        "Parmi les modèles jugés se trouvent des arbres ({models}) ; cette partie ne parle que d'eux.",
    ),
    "trees own": Phrase(
        "Boosted trees on named columns were not part of the judged model in each fold. For this section alone {models} learned "
        "from {spaces}, on the same folds.",
        "Des arbres sur des colonnes nommées ne faisaient pas partie du modèle jugé dans chaque bloc. Pour cette partie seulement, "
        "{models} a appris sur {spaces}, avec les mêmes blocs.",
    ),
    "trees what": Phrase(
        "An answer of such trees is a sum of what each column adds to the log odds of a genre (SHAP values, exact for trees: "
        "Lundberg et al. 2020). For unheard artists most is added by {families}.",
        "La réponse de tels arbres est la somme de ce que chaque colonne ajoute au log des cotes d'un genre (valeurs SHAP, exactes "
        "pour des arbres : Lundberg et al. 2020). Pour des artistes jamais entendus, les plus gros apports viennent de : "
        "{families}.",
    ),
    "trees caveat": Phrase(
        "That is what the trees use, whether it makes them right or not; what answers lose without a family is said above. A "
        "family of many columns has more to add.",
        "C'est ce que les arbres utilisent, que cela leur donne raison ou non ; ce que perdent les réponses sans une famille est "
        "dit plus haut. Une famille de nombreuses colonnes a plus à apporter.",
    ),
    "read trees": Phrase(
        "How far the columns of a family together move the log odds of a genre, up or down: mean over tracks and genres.",
        "De combien les colonnes d'une famille, ensemble, déplacent le log des cotes d'un genre, en plus ou en moins : moyenne "
        "sur les morceaux et les genres.",
    ),
    "read columns": Phrase(
        "The same for single columns. Arrows in the table: ↑ more of it speaks for the genre, ↓ less.",
        "De même pour une seule colonne. Flèches du tableau : ↑ plus il y en a, plus cela parle pour le genre, ↓ l'inverse.",
    ),
    "tags what": Phrase(
        "The network musicnn ends in 50 tags that listeners gave. Below are those that it hears more, or less, the more probable a "
        "genre is to {model} for unheard artists (rank correlation and its 95 % interval).",
        "Le réseau musicnn aboutit à 50 mots donnés par des auditeurs. Voici ceux qu'il entend plus, ou moins, quand un genre est "
        "plus probable selon {model} pour des artistes jamais entendus (corrélation des rangs et son intervalle à 95 %).",
    ),
    "tags clear": Phrase(
        "Clearest is {label} with “{tag}”: {correlation} ({interval}).",
        "Le plus net est {label} avec « {tag} » : {correlation} ({interval}).",
    ),
    "tags weak": Phrase(
        "Weakest is {label}: its best tag, “{tag}”, reaches {correlation} ({interval}).",
        "Le plus faible est {label} : son meilleur mot, « {tag} », atteint {correlation} ({interval}).",
    ),
    "tags silent": Phrase("For {labels} no tag varies clearly.", "Pour {labels}, aucun mot ne varie nettement."),
    "tags caveat": Phrase(
        "The best of 50 flatter a little, tags vary with each other, and what varies with an answer need not be its reason.",
        "Les meilleurs de 50 flattent un peu, les mots varient ensemble, et ce qui varie avec une réponse n'en est pas forcément "
        "la raison.",
    ),
}  # fmt: skip
"""Whatever is said of a model's reasons."""
