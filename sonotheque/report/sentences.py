"""The sentences of a report in English and French; `sonotheque.report.text` decides which are said and fills them in."""

from __future__ import annotations

from sonotheque.report.wording import Phrase

SENTENCES: dict[str, Phrase] = {
    "summary good": Phrase(
        "{model} named the right genre in {right} of {answers} ({accuracy}), all by artists that it had never heard. "
        "Judged on other artists of the same kind, the share would probably lie between {low} and {high}.",
        "{model} a donné le bon genre dans {right} cas sur {answers} ({accuracy}), toujours pour des artistes jamais "
        "entendus. Sur d'autres artistes du même genre, cette part se situerait probablement entre {low} et {high}.",
    ),
    "summary perfect": Phrase(
        "{model} named the right genre in all of {answers}, all by artists that it had never heard. That is no promise: with "
        "{artists} tested, it could still fail on up to {bound} of other artists (95 % bound).",
        "{model} a donné le bon genre dans les {answers} cas, toujours pour des artistes jamais entendus. Ce n'est pas une "
        "promesse : avec {artists} testés, il pourrait encore se tromper sur jusqu'à {bound} des autres artistes (borne à 95 %).",
    ),
    "summary above": Phrase(
        "Always answering the most frequent genre would be right in {majority} of cases; the interval lies wholly above.",
        "Répondre toujours le genre le plus fréquent serait juste dans {majority} des cas ; l'intervalle est tout "
        "entier au-dessus.",
    ),
    "summary below": Phrase(
        "Always answering the most frequent genre would be right in {majority} of cases. The interval does not lie wholly "
        "above: this is no proof that anything was learned.",
        "Répondre toujours le genre le plus fréquent serait juste dans {majority} des cas. L'intervalle n'est pas tout "
        "entier au-dessus : rien ne prouve que quelque chose a été appris.",
    ),
    "summary wide": Phrase(
        "The interval is wide, for {artists} are few: differences of a few points mean nothing here.",
        "L'intervalle est large, car {artists}, c'est peu : quelques points d'écart ne veulent rien dire ici.",
    ),
    "summary ends": Phrase(
        "Best told is {best} (F1 {best_f1}), hardest {worst} (F1 {worst_f1}).",
        "Le mieux reconnu est {best} (F1 {best_f1}), le plus difficile {worst} (F1 {worst_f1}).",
    ),
    "data what": Phrase(
        "There are {tracks} with a label, by {artists}, in {genres}. The largest is {most} ({most_tracks}), the smallest "
        "{least} ({least_tracks}).",
        "On dispose de {tracks} étiquetés, de {artists}, en {genres}. Le plus grand est {most} ({most_tracks}), le plus "
        "petit {least} ({least_tracks}).",
    ),
    "data unequal": Phrase(
        "The genres are unequal. Accuracy follows the large ones; balanced accuracy and macro F1 count each genre the same.",
        "Les genres sont inégaux. L'exactitude suit les grands ; l'exactitude équilibrée et le F1 macro les comptent "
        "tous autant.",
    ),
    "data alone": Phrase(
        "{tracks} name neither artist nor album. If one of their artists stands on both sides of a fold, the figures flatter.",
        "Ni artiste ni album pour {tracks}. Si l'un de leurs artistes se trouve des deux côtés d'un bloc, les mesures "
        "flattent.",
    ),
    "data apart": Phrase(
        "{label} ({tracks}, {artists}) could not be judged: {folds} need at least as many artists. Its tracks helped to "
        "train, and it remains a possible answer.",
        "{label} ({tracks}, {artists}) n'a pas pu être jugé : {folds} demandent au moins autant d'artistes. Ses morceaux "
        "ont servi à l'apprentissage, et il reste une réponse possible.",
    ),
    "data untested": Phrase(
        "{label} ({tracks}, {artists}) was not judged: the given split tests none of its tracks.",
        "{label} ({tracks}, {artists}) n'a pas été jugé : la répartition donnée ne teste aucun de ses morceaux.",
    ),
    "data sound": Phrase("No file failed.", "Aucun fichier n'a échoué."),
    "data failed": Phrase(
        "Not used, and counted nowhere in this report: {files}, with the reason below.",
        "Non utilisés, et comptés nulle part dans ce rapport : {files}, avec la raison ci-dessous.",
    ),
    "protocol folds": Phrase(
        "The tracks were dealt into {folds} with like shares of the genres. Each fold was judged by a model that had learned "
        "from the others, so that every track was answered by a model that did not know it.",
        "Les morceaux ont été répartis en {folds} de même composition en genres. Chaque bloc a été jugé par un modèle "
        "appris sur les autres : chaque morceau a reçu sa réponse d'un modèle qui ne le connaissait pas.",
    ),
    "protocol given": Phrase(
        "The split into training and test tracks was given, and taken as it is.",
        "La répartition entre apprentissage et test était donnée, et a été prise telle quelle.",
    ),
    "protocol repeats": Phrase(
        "That was repeated {times} with other folds; counts below are of answers, {answers} in all.",
        "Cela a été répété {times} avec d'autres blocs ; on compte ci-dessous les réponses, {answers} en tout.",
    ),
    "protocol artists": Phrase(
        "No artist stands on both sides. Tracks of one artist share voice, instruments and studio; with some of them in "
        "training, a model would recognise the artist and seem to know the genre.",
        "Aucun artiste ne se trouve des deux côtés. Les morceaux d'un artiste partagent voix, instruments et studio ; si "
        "le modèle en avait appris quelques-uns, il reconnaîtrait l'artiste et semblerait connaître le genre.",
    ),
    "protocol strangers": Phrase(
        "No artist is known here, so that artists could not be kept apart: the figures flatter, nobody can say how much.",
        "Aucun artiste n'est connu ici, on n'a donc pas pu les séparer : les mesures flattent, on ne sait de combien.",
    ),
    "protocol intervals": Phrase(
        "Intervals hold 95 % of 2000 resamples in which artists, not tracks, are drawn with replacement: tracks of one "
        "artist stand and fall together. Where all of a few artists agree, an interval shrinks to a point; that is a sign "
        "of few artists, not of certainty.",
        "Les intervalles contiennent 95 % de 2000 tirages avec remise d'artistes, non de morceaux : les morceaux d'un "
        "artiste réussissent ou échouent ensemble. Quand quelques artistes sont tous d'accord, l'intervalle se réduit à un "
        "point ; c'est le signe de peu d'artistes, non d'une certitude.",
    ),
    "protocol chosen": Phrase(
        "What there was to choose was chosen inside each fold, without a look at its test: {chosen}.",
        "Ce qu'il y avait à choisir l'a été dans chaque bloc, sans regarder le test : {chosen}.",
    ),
    "result balanced": Phrase(
        "If each genre counts the same, {balanced} are right, with {low} to {high} as the interval.",
        "Si chaque genre compte autant, {balanced} sont justes, avec un intervalle de {low} à {high}.",
    ),
    "result unequal": Phrase(
        "That is {gap} points below the accuracy: the small genres fare worse than the large ones.",
        "C'est {gap} points de moins que l'exactitude : les petits genres s'en tirent moins bien que les grands.",
    ),
    "result loss better": Phrase(
        "The log loss of {loss} beats {even}, that of equal probabilities for all genres: the probabilities tell something.",
        "La perte logarithmique de {loss} est meilleure que {even}, celle de probabilités égales pour tous les genres : "
        "les probabilités disent quelque chose.",
    ),
    "result loss worse": Phrase(
        "The log loss of {loss} is no better than {even}, that of equal probabilities for all genres: some wrong answers "
        "were far too sure.",
        "La perte logarithmique de {loss} n'est pas meilleure que {even}, celle de probabilités égales pour tous les "
        "genres : certaines réponses fausses étaient bien trop sûres.",
    ),
    "genre hard": Phrase(
        "{label} is hard: {right} of {answers} to its tracks are right (recall {recall}, precision {precision}).",
        "{label} est difficile : {right} de {answers} à ses morceaux sont justes (rappel {recall}, précision {precision}).",
    ),
    "genre few": Phrase(
        "It has only {artists}, so that the model has heard few ways to play it.",
        "Il n'a que {artists} : le modèle en a entendu peu de manières de jouer.",
    ),
    "genre confused": Phrase(
        "Mostly it is taken for {other} ({count} of {errors}).",
        "Il est surtout pris pour {other} ({count} sur {errors}).",
    ),
    "genre one": Phrase(
        "One artist alone has {count} of its {errors}: that artist's labels deserve a look.",
        "Un seul artiste cumule {count} de ses {errors} : ses étiquettes méritent un regard.",
    ),
    "genre spread": Phrase(
        "Its artists differ: {always} of {artists} are always recognised, {never} never. It may hold several sounds.",
        "Ses artistes diffèrent : sur {artists}, {always} toujours reconnus, {never} jamais. Il réunit peut-être plusieurs sons.",
    ),
    "genre ranked": Phrase(
        "Yet its AUC of {auc} says that its tracks are ranked well: they only seldom come first.",
        "Son AUC de {auc} dit pourtant que ses morceaux sont bien classés : ils arrivent seulement rarement en tête.",
    ),
    "genre unheard": Phrase(
        "Its AUC of {auc} says that these vectors hardly hold what sets it apart.",
        "Son AUC de {auc} dit que ces vecteurs ne contiennent guère ce qui le distingue.",
    ),
    "genre swallows": Phrase(
        "What is called {label} is often something else: {wrong} of {called} answers.",
        "Ce qui est appelé {label} est souvent autre chose : {wrong} réponses sur {called}.",
    ),
    "genres even": Phrase(
        "No genre falls far behind the others; the table shows how wide the intervals are.",
        "Aucun genre ne reste loin derrière les autres ; le tableau montre la largeur des intervalles.",
    ),
    "genres overlap": Phrase(
        "Intervals of the best and the hardest genre overlap: their order may be chance.",
        "Les intervalles du meilleur et du plus difficile se recouvrent : leur ordre peut être dû au hasard.",
    ),
    "read classes": Phrase(
        "Artists count more than tracks: ten tracks of one artist teach one way to play.",
        "Les artistes comptent plus que les morceaux : dix morceaux d'un artiste n'apprennent qu'une manière de jouer.",
    ),
    "read genres": Phrase(
        "Precision: how many answers of this genre are right. Recall: how many of its tracks are found. Whiskers: 95 % intervals.",
        "Précision : combien de réponses de ce genre sont justes. Rappel : combien de ses morceaux sont trouvés. Moustaches : "
        "intervalles à 95 %.",
    ),
    "read roc": Phrase(
        "AUC is how often a track of the genre gets a higher probability for it than a track of another; 0.5 is chance.",
        "L'AUC dit combien de fois un morceau du genre en reçoit une probabilité plus haute qu'un autre morceau ; 0,5, "
        "c'est le hasard.",
    ),
    "ranking ends": Phrase(
        "The mean AUC is {auc}; {best} is ranked best ({best_auc}), {worst} worst ({worst_auc}).",
        "L'AUC moyenne est {auc} ; {best} est le mieux classé ({best_auc}), {worst} le moins bien ({worst_auc}).",
    ),
    "read precision_recall": Phrase(
        "From the surest track leftmost to all tracks: a curve that stays high can be trusted far down the list. AP is the "
        "area under it.",
        "Du morceau le plus sûr, à gauche, à tous : une courbe qui reste haute mérite confiance loin dans la liste. AP est "
        "l'aire sous la courbe.",
    ),
    "confusion none": Phrase("There is no error.", "Il n'y a aucune erreur."),
    "confusion top": Phrase(
        "{first} and {second} are taken for each other most: {errors}, {share} of all.",
        "{first} et {second} sont le plus souvent pris l'un pour l'autre : {errors}, {share} du total.",
    ),
    "confusion next": Phrase(
        "Next come {first} and {second}: {errors}, {share} of all.",
        "Viennent ensuite {first} et {second} : {errors}, {share} du total.",
    ),
    "read confusion": Phrase(
        "Rows are true genres, columns are answers; right answers lie on the diagonal. Choose a cell to list its tracks.",
        "Les lignes sont les vrais genres, les colonnes les réponses ; les réponses justes sont sur la diagonale. "
        "Choisissez une case pour voir ses morceaux.",
    ),
    "read confusion_rates": Phrase(
        "The same as shares of each row: the diagonal is recall.",
        "La même chose en parts de chaque ligne : la diagonale est le rappel.",
    ),
    "read calibration": Phrase(
        "Of answers given with 80 % probability, 80 % should be right: points on the line. Larger points hold more answers; "
        "whiskers are 95 % intervals over artists, and the band holds 95 % of what exact probabilities would show.",
        "Parmi les réponses données à 80 % de probabilité, 80 % devraient être justes : des points sur la droite. Les plus "
        "gros points contiennent plus de réponses ; les moustaches sont des intervalles à 95 % sur les artistes, et la bande "
        "contient 95 % de ce que montreraient des probabilités exactes.",
    ),
    "confidence over": Phrase(
        "The answers promise too much: {confidence} on average, {accuracy} kept (calibration error {ece}).",
        "Les réponses promettent trop : {confidence} en moyenne, {accuracy} tenus (erreur de calibration {ece}).",
    ),
    "confidence under": Phrase(
        "The answers promise too little: {confidence} on average, {accuracy} kept (calibration error {ece}).",
        "Les réponses promettent trop peu : {confidence} en moyenne, {accuracy} tenus (erreur de calibration {ece}).",
    ),
    "confidence fair": Phrase(
        "On average the answers promise about what they keep: {confidence} and {accuracy} (calibration error {ece}).",
        "En moyenne les réponses tiennent à peu près ce qu'elles promettent : {confidence} et {accuracy} (erreur de "
        "calibration {ece}).",
    ),
    "confidence calibrated": Phrase(
        "A model whose probabilities are exactly right would show an error of {low} to {high} on these answers (95 %): the error "
        "found is no larger, so nothing speaks against the probabilities.",
        "Un modèle aux probabilités exactes montrerait une erreur de {low} à {high} sur ces réponses (95 %) : l'erreur trouvée "
        "n'est pas plus grande, rien ne parle donc contre les probabilités.",
    ),
    "confidence uncalibrated": Phrase(
        "A model whose probabilities are exactly right would show an error of {low} to {high} on these answers (95 %): the error "
        "found is larger, so do not take the probabilities at their word.",
        "Un modèle aux probabilités exactes montrerait une erreur de {low} à {high} sur ces réponses (95 %) : l'erreur trouvée "
        "est plus grande, ne prenez donc pas les probabilités au mot.",
    ),
    "read coverage": Phrase(
        "Answering only the surest tracks and leaving the rest open: how often the answers given are right.",
        "Ne répondre qu'aux morceaux les plus sûrs et laisser les autres : part de justes parmi les réponses données.",
    ),
    "coverage half": Phrase(
        "Of the surest half, {half} are right ({low} to {high}); of all, {accuracy}.",
        "De la moitié la plus sûre, {half} sont justes ({low} à {high}) ; de l'ensemble, {accuracy}.",
    ),
    "errors what": Phrase(
        "{errors} in all; the most confident first, each with the nearest tracks by other artists in {space}.",
        "{errors} en tout ; les plus sûres d'abord, chacune avec les morceaux les plus proches d'autres artistes dans {space}.",
    ),
    "errors doubtful": Phrase(
        "For {tracks} most neighbours bear the genre that was answered: there the label itself is doubtful (marked ◆).",
        "Pour {tracks}, la plupart des voisins portent le genre répondu : là, l'étiquette elle-même est douteuse (marquée ◆).",
    ),
    "models best": Phrase(
        "{count} ways were judged on the same folds. The best single one is {best} ({accuracy}). Of the others, {worse} are "
        "clearly worse, {better} clearly better (95 % intervals without 0); for the rest, chance explains the difference.",
        "{count} manières ont été jugées sur les mêmes blocs. La meilleure seule est {best} ({accuracy}). Parmi les autres, "
        "{worse} sont nettement moins bonnes, {better} nettement meilleures (intervalles à 95 % sans 0) ; pour le reste, le "
        "hasard explique l'écart.",
    ),
    "models flatter": Phrase(
        "The best was chosen by these very figures, so its own flatters a little. Chosen by folds inside the training tracks "
        "instead, the accuracy is {accuracy}.",
        "La meilleure a été choisie d'après ces mêmes mesures, la sienne flatte donc un peu. Choisie par des blocs à "
        "l'intérieur de l'apprentissage, l'exactitude est de {accuracy}.",
    ),
    "read models": Phrase(
        "To the right of 0: better than the best single model on the same artists. {shown} of {count} rows are drawn.",
        "À droite de 0 : mieux que le meilleur modèle seul sur les mêmes artistes. {shown} lignes sur {count} sont tracées.",
    ),
    "decisions what": Phrase(
        "The model {model} was judged twice on the same folds: on whole tracks (global), {whole} are right; on segments of "
        "10 s whose probabilities are averaged (local), {parts}.",
        "Le modèle {model} a été jugé deux fois sur les mêmes blocs : sur les morceaux entiers (global), {whole} sont justes ; "
        "sur des segments de 10 s dont on moyenne les probabilités (local), {parts}.",
    ),
    "decisions local": Phrase(
        "Segments are better by {points} points ({interval}).",
        "Les segments font mieux de {points} points ({interval}).",
    ),
    "decisions global": Phrase(
        "Segments are worse by {points} points ({interval}).",
        "Les segments font moins bien de {points} points ({interval}).",
    ),
    "decisions equal": Phrase("Both are right equally often.", "Les deux sont justes aussi souvent."),
    "decisions same": Phrase(
        "The difference of {points} points ({interval}) may be chance.",
        "L'écart de {points} points ({interval}) peut être dû au hasard.",
    ),
    "read decisions": Phrase(
        "Recall of each genre, decided on whole tracks and on segments.",
        "Rappel de chaque genre, décidé sur morceaux entiers et sur segments.",
    ),
    "learning rising": Phrase(
        "From {fewer} to {more} training tracks the accuracy rose by {points} points: more artists will probably still help.",
        "De {fewer} à {more} morceaux d'apprentissage, l'exactitude a gagné {points} points : plus d'artistes aideront "
        "probablement encore.",
    ),
    "learning flat": Phrase(
        "From {fewer} to {more} training tracks the accuracy changed by {points} points only: more of the same music will "
        "hardly help; other spaces, models or cleaner labels might.",
        "De {fewer} à {more} morceaux d'apprentissage, l'exactitude n'a changé que de {points} points : davantage de la même "
        "musique n'aidera guère ; d'autres espaces, modèles ou des étiquettes plus propres, peut-être.",
    ),
    "learning done": Phrase(
        "With all training tracks no error is left on these tests; harder music would show what more artists bring.",
        "Avec tous les morceaux d'apprentissage, il ne reste aucune erreur sur ces tests ; une musique plus difficile "
        "montrerait ce qu'apportent d'autres artistes.",
    ),
    "learning unsure": Phrase(
        "Each point has an interval of about ±{half} points, so a small step is no evidence.",
        "Chaque point a un intervalle d'environ ±{half} points : un petit pas ne prouve rien.",
    ),
    "read learning": Phrase(
        "The same tests, answered by models that heard only some of the training artists.",
        "Les mêmes tests, répondus par des modèles qui n'ont entendu qu'une partie des artistes d'apprentissage.",
    ),
    "step apart": Phrase(
        "Label {artists} more in {label}: only then can it be judged at all.",
        "Étiquetez {artists} de plus en {label} : alors seulement on pourra le juger.",
    ),
    "step artists": Phrase(
        "Add artists to {label}: it has {artists}, and {recall} of its tracks are found.",
        "Ajoutez des artistes en {label} : il en compte {artists}, et {recall} de ses morceaux sont trouvés.",
    ),
    "step merge": Phrase(
        "Merge {first} and {second}, or say more clearly what sets them apart: they take up {share} of all errors. As one "
        "genre, accuracy would be {merged} instead of {accuracy}.",
        "Fusionnez {first} et {second}, ou dites plus clairement ce qui les distingue : ils font {share} de toutes les "
        "erreurs. En un seul genre, l'exactitude serait de {merged} au lieu de {accuracy}.",
    ),
    "step relabel": Phrase(
        "Listen to these, and relabel those that the ear gives another genre: {tracks}.",
        "Écoutez ceux-ci, et changez l'étiquette de ceux que l'oreille entend autrement : {tracks}.",
    ),
    "step relabel one": Phrase("{title} ({label}, heard as {answer})", "{title} ({label}, entendu comme {answer})"),
    "step unknown": Phrase(
        "Name the artist of {tracks}: without it the figures cannot be trusted.",
        "Nommez l'artiste de {tracks} : sans cela on ne peut se fier aux mesures.",
    ),
    "step failed": Phrase("Mend or replace {files} that failed.", "Réparez ou remplacez {files} en échec."),
    "step abstain": Phrase(
        "Where a wrong answer costs more than none, answer only the surest half: {half} right instead of {accuracy}.",
        "Là où une réponse fausse coûte plus qu'aucune, ne répondez qu'à la moitié la plus sûre : {half} justes au lieu de "
        "{accuracy}.",
    ),
    "step more": Phrase(
        "Label more artists: the learning curve still rises.",
        "Étiquetez plus d'artistes : la courbe d'apprentissage monte encore.",
    ),
    "step model": Phrase(
        "Use {model}: it was clearly better than the best single model, by {points} points.",
        "Utilisez {model} : nettement mieux que le meilleur modèle seul, de {points} points.",
    ),
    "step none": Phrase(
        "The evidence points to no single step.", "Les résultats ne désignent aucune étape en particulier."
    ),
}
"""Whatever is said in a sentence."""
